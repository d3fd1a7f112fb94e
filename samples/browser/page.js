// The address says where to send: ?token=pub_…&endpoint=https://… and, if wanted, userId, userHmac, consent=wait, retryMs, load=button.
const options = Object.fromEntries(new URLSearchParams(location.search));
const { load, ...attributes } = options;

const document48213 = {
  documentId: 48213,
  contentId: "cnt_8Yw2",
  segmentId: "Everyone",
  versionId: "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
  placementId: "plc_home",
};
const screenOf = (screenName) => ["candu.sdk.screen", { screenName, properties: { slug: "getting-started", ...document48213 } }];
const trackOf = (eventName, more) => ["candu.sdk.track", { eventName, properties: { ...document48213, ...more } }];

// What Candu documents, and at the end a name that nobody has documented.
const EVENTS = {
  View: screenOf("candu.sdk.content"),
  Interaction: trackOf("candu.sdk.content.interaction", {
    trigger: "OnClick", handler: { type: "openUrl" }, eventName: "Start tour", category: "Onboarding", nodeId: "n-17", nodeType: "Button",
  }),
  "Flow step": screenOf("candu.sdk.flow_step"),
  Impression: screenOf("candu.sdk.impression"),
  "Conditional view": screenOf("candu.sdk.conditional_view_option"),
  "Hotspot beacon": screenOf("candu.sdk.hotspot_beacon"),
  "Hotspot tooltip": screenOf("candu.sdk.hotspot_tooltip"),
  "Tour tooltip": screenOf("candu.sdk.tour_step_tooltip"),
  "Unknown event": trackOf("candu.sdk.unheard_of"),
};

const find = (id) => document.getElementById(id);

function tell(text) {
  const line = document.createElement("li");
  line.textContent = `${new Date().toLocaleTimeString()}  ${text}`;
  find("log").prepend(line);
}

function addButton(place, label, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.addEventListener("click", act);
  find(place).append(button);
}

function dispatch(label) {
  const [type, detail] = EVENTS[label];
  tell(`dispatched ${type} ${detail.screenName || detail.eventName}`);
  window.dispatchEvent(new CustomEvent(type, { detail }));
}

function loadCollector() {
  const script = document.createElement("script");
  script.async = true;
  script.src = `${options.endpoint}/v1/collector.js`;
  Object.assign(script.dataset, attributes);
  script.addEventListener("load", () => tell(`collector ${window.CanduSource.version} loaded`));
  script.addEventListener("error", () => tell(`no collector at ${script.src}`));
  document.head.append(script);
}

function countQueue() {
  find("queued").value = Object.keys(localStorage).filter((key) => key.startsWith(`candu-source.${options.token}`)).length;
}

function tellAnswers() {
  const told = ({ name, responseStatus }) => {
    if (name.includes("/v1/browser/")) tell(responseStatus ? `the service answered ${responseStatus}` : "no answer from the service");
  };
  new PerformanceObserver((list) => list.getEntries().forEach(told)).observe({ type: "resource", buffered: true });
}

for (const label of Object.keys(EVENTS)) addButton("events", label, () => dispatch(label));
tellAnswers();
setInterval(countQueue, 250);
if (!options.token || !options.endpoint) {
  find("setup").textContent = "Nothing is sent: open this page with ?token=<public token>&endpoint=<address of the service>. candu-source demo prints such an address.";
} else {
  find("setup").textContent = `Sending to ${options.endpoint} with ${options.token}${options.consent ? ", once you consent" : ""}.`;
  if (options.consent) {
    addButton("control", "Give consent", () => window.CanduSource.push(["consent", true]));
    addButton("control", "Refuse consent", () => window.CanduSource.push(["consent", false]));
  }
  if (load) addButton("control", "Load the collector", loadCollector);
  else loadCollector();
}
