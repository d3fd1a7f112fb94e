// candu-source collector 1.0.0
if (!window.CanduSource?.init) {
let page = window.CanduSource, script = document.currentScript, name = "candu-source.", anonymousId = name + "anonymousId", lease = name + "lease";
let options = {consent: true, retryMs: 1e3}, held = [];
let disk, fresh = [], tries = 0, busy, timer, told;
try {disk = localStorage;} catch {}
disk = disk || {};
let put = (key, text) => {
 try {disk[key] = text;} catch {disk = {[anonymousId]: disk[anonymousId], [key]: text};}
};
let drop = key => delete disk[key];
let queue = () => Object.keys(disk).filter(key => key.startsWith(name + options.token)).sort();
let warn = text => told == text || console.warn(name, told = text);
let guard = act => given => {
 try {act(given);} catch {warn("event dropped: not JSON");}
};
let uuid = () => "10000000-1000-4000-8000-100000000000".replace(/[018]/g,
 digit => (digit ^ crypto.getRandomValues(new Uint8Array(1))[0] & 15 >> digit / 4).toString(16));
let record = ({type, detail, timeStamp}) => {
 let {origin, pathname: path, search} = location, {title, referrer} = document, {width, height} = screen;
 let text = JSON.stringify({
  messageId: uuid(), timestamp: new Date(Date.now() + (timeStamp - performance.now() || 0)), type, detail,
  context: {
   page: {path, url: origin + path + search, title, search, referrer}, screen: {width, height, density: devicePixelRatio},
   locale: navigator.language, timezone: Intl.DateTimeFormat().resolvedOptions().timeZone, userAgent: navigator.userAgent,
  },
 });
 if (options.consent !== false && held.push(text) > 100) held.shift();
 settle();
};
let settle = () => {
 if (!options.token || options.consent !== true) return;
 let {userId, userHmac} = options;
 for (let each of held.splice(0)) {
  let key = name + options.token + Date.now() + uuid();
  if (!disk[anonymousId]) put(anonymousId, uuid());
  let text = JSON.stringify({
   anonymousId: disk[anonymousId], ...userId && {userId: "" + userId, userHmac}, ...JSON.parse(each),
  });
  if (new Blob([text]).size > 5e4) warn("event dropped: over 50 KB");
  else put(key, text), fresh.push(key);
 }
 while (body(queue()).length > 4e5) drop(queue()[0]);
 if (busy || timer || !queue()[0]) return;
 busy = 1;
 lock().catch(later);
};
let again = guard(() => settle(timer = clearTimeout(timer)));
let later = wait => {
 busy = 0;
 timer = setTimeout(again, Math.min(36e5, (wait * 1e3 || 0) + Math.min(6e4, options.retryMs * 2 ** tries++) * (1 + Math.random()) / 2));
};
let lock = async () => {
 if (navigator.locks) return navigator.locks.request(name, send);
 if (disk[lease] > Date.now()) return later();
 put(lease, Date.now() + 1e4);
 await send();
 drop(lease);
};
let batch = from => {
 let size = 0;
 return from.filter((key, index) => index < 100 && disk[key] && (size += new Blob([disk[key]]).size + 1) < 6e4);
};
let body = from => `{"batch":[${from.map(key => disk[key])}]}`;
let url = () => options.endpoint.replace(/\/$/, "") + "/v1/browser/" + options.token;
let send = async () => {
 for (let sent; !timer && (sent = batch(queue()))[0];) {
  fresh = [];
  let answer = await fetch(url(), {
   method: "POST", body: body(sent), keepalive: true, credentials: "omit", signal: AbortSignal.timeout?.(3e4),
  }).catch(() => 0);
  let {status = 500} = answer;
  if (/408|429|5../.test(status)) {
   fresh.push(...sent);
   later(answer.headers?.get("Retry-After"));
  } else {
   tries = 0;
   sent.forEach(drop);
   if (!answer.ok) warn(status + " " + (await answer.json().catch(() => 0)).detail);
  }
 }
 busy = 0;
 return new Promise(go => setTimeout(go, 99));
};
let leave = guard(() => {
 let sent = batch(fresh);
 if (sent[0] && navigator.sendBeacon(url(), body(sent))) fresh = [];
});
let init = guard(given => {
 fresh = [];
 Object.assign(options, "userId" in given && {userHmac: ""}, given);
 if (options.consent === false) [anonymousId, ...held.splice(0), ...queue()].forEach(drop);
 settle();
});
let push = guard(event => {
 let [type, detail] = event[0] ? event : [];
 if (type) api[type] ? api[type](detail) : record({type, detail});
 else if (!event[name]) record(event, event[name] = 1);
});
let api = window.CanduSource = {push, init, consent: given => init({consent: given === true}), version: "1.0.0"};
addEventListener("candu.sdk.screen", push);
addEventListener("candu.sdk.track", push);
addEventListener("online", again);
addEventListener("pagehide", leave);
addEventListener("visibilitychange", () => document.hidden && leave());
init({endpoint: script?.src.split("/v1/")[0], ...script?.dataset});
page?.forEach?.(push);
}
