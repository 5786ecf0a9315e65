import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import { Feed } from "./feed.ts";
import { Page } from "./page.tsx";
import { Store } from "./store.ts";
import "./styles/base.css";
import "./styles/link.css";
import "./styles/model-card.css";
import "./styles/parts.css";
import "./styles/plot.css";
import "./styles/system.css";
import "./styles/values.css";

const store = new Store();
render(<Page store={store} />, document.getElementById("page")!);
new Feed(store, "/api/v1/live").start();
