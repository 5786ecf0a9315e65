import type { ComponentChildren, VNode } from "preact";

function Icon({ children }: { readonly children: ComponentChildren }): VNode {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      width="24"
      height="24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.8"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const SunIcon = (): VNode => (
  <Icon>
    <circle cx="12" cy="12" r="4.2" />
    <path d="M12 2.5v2.6M12 18.9v2.6M2.5 12h2.6M18.9 12h2.6M5.3 5.3l1.8 1.8M16.9 16.9l1.8 1.8M5.3 18.7l1.8-1.8M16.9 7.1l1.8-1.8" />
  </Icon>
);

export const HouseIcon = (): VNode => (
  <Icon>
    <path d="M3.5 11.5L12 4l8.5 7.5M6 9.8V20h12V9.8" />
    <path d="M12.6 11.5l-2.1 3.2h3l-2.1 3.2" />
  </Icon>
);

export const BatteryIcon = (): VNode => (
  <Icon>
    <rect x="3" y="7.5" width="18" height="12" rx="2" />
    <path d="M7 7.5V5M17 7.5V5M6.5 13.5h3.5M14 13.5h3.5M15.75 11.750v3.5" />
  </Icon>
);

export const GridIcon = (): VNode => (
  <Icon>
    <path d="M9.5 3h5l1 5 2.5 13M14.5 3l-5 0-1 5L6 21M4 8h16M8 13.5h8M8.5 8l7.2 5.5L6 21M15.5 8l-7.2 5.5L18 21" />
  </Icon>
);

export const WarningIcon = (): VNode => (
  <Icon>
    <path d="M12 4L2.8 19.5h18.4zM12 10v4.5M12 17.2v.1" />
  </Icon>
);

/** The product's mark: the sun over the horizon. */
export const Mark = (): VNode => (
  <svg class="mark" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
    <path d="M7 21.5a9 9 0 0 1 18 0z" fill="currentColor" />
    <path d="M16 4v4.5M5 10.5l3 3M27 10.5l-3 3M4 26.5h24" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" fill="none" />
  </svg>
);
