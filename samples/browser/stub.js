window.CanduSource = window.CanduSource || [];
["candu.sdk.screen", "candu.sdk.track"].forEach((name) => addEventListener(name, (event) => window.CanduSource.push(event)));
