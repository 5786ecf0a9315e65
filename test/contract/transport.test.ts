import { hidrawMedium, serialMedium, tcpMedium } from "./media.ts";
import { transportContract } from "./transport.contract.ts";

transportContract(hidrawMedium);
transportContract(serialMedium);
transportContract(tcpMedium);
