/** What the reference page says of TLS, in front of the tables. */
export function tlsText(): string {
  return [
    "## TLS",
    "",
    "```",
    "https 443;",
    "rtmps 1936 { certificate /tls/tls.crt; certificate_key /tls/tls.key; }",
    "```",
    "",
    "- Without `certificate`, the files are `streamer.crt`, `streamer.key` and, where it is there, `streamer-ca.crt` in the",
    "  config's folder: `/etc/flussonic`, or what `--config` names, or the folder of the file it names.",
    "- `https` and `http`, `rtmps` and `rtmp` may be mixed; a port is opened once. Without any `http`, `https` opens no port 80.",
    "- A listener whose certificate is named anew is closed and opened; one whose files change is not.",
  ].join("\n");
}

/** What the reference page says of viewers and publishers, in front of the table of options. */
export function accessText(): string {
  return [
    "## Who may play and publish",
    "",
    "```",
    "geoip /usr/share/GeoIP/country.mmdb;",
    "",
    "auth_backend portal {",
    "  allow ip 10/8;",
    "  deny country XX;",
    "  backend http://portal/check;",
    "}",
    "jwt login { jwks https://id.example.org/keys; issuer https://id.example.org; }",
    "",
    "template paid {",
    "  prefix paid;",
    "  input publish://;",
    "  on_play auth://portal max_sessions=2;",
    "  on_publish jwt://login;",
    "}",
    "stream news { template paid; max_sessions 5; }",
    "stream free { template paid; on_play true; }",
    "vod films { storage /films; securetoken KEY; domains example.org *.example.org; }",
    "```",
    "",
    "- Who decides: `http://...`, `https://...` a server that is asked; `auth://NAME` an `auth_backend` block; `jwt://NAME` a",
    "  `jwt` block; `securetoken://KEY`, also `securetoken KEY;`, links that are signed with SHA-1 in the way that the reference",
    "  product has, `securetoken://KEY?no_check_ip=true` whatever the viewer's address; `signed://KEY` links that are signed with",
    "  HMAC-SHA-256; `true` everyone; `false` nobody. Without any: everyone. Scripts of Lua are refused.",
    "- What a stream says wins over what its template says, one word at a time: `news` above asks `portal` and lets a user have",
    "  five sessions. Options of `on_play` and directives of the same names are the same; each is said once.",
    "- `auth` is `on_play`, but for one thing: where a stream has `auth` and its template `on_play`, that of the template wins,",
    "  and a warning says so. Both in one block are refused.",
    "- An `auth_backend` follows this order, and the first rule that fits decides: `allow token`, `deny token`, `allow ip`,",
    "  `deny ip`, `allow country`, `deny country`, `allow ua`, `deny ua`, then all `backend` servers at once, then `default`.",
    "  Lines of one kind add up.",
    "- Lists have blanks between their words, or commas; in options commas.",
    "- Without `geoip` nobody's country is known: rules about countries then get a warning.",
    "- Passwords of `edit_auth` and `view_auth`, and the `token` of an `api_token`, may be hashes that `weir hash-password` writes:",
    "  `$scrypt$...` and `$argon2id$...` need no quotes.",
    "- `weir print` leaves secrets out. What it prints of a rule with a secret in it is not read without that: no config that lets",
    "  more in comes of it.",
    "",
    "Options of `on_play` and `auth`:",
    "",
  ].join("\n");
}

/** What the reference page says of events. */
export function eventsText(): string {
  return [
    "## Events",
    "",
    "```",
    "event_sink portal {",
    "  url https://portal/events;",
    "  only event=play_*,publish_* media=news,paid/*;",
    "  except proto=api;",
    "  sign_key KEY;",
    "}",
    "event_queue /var/lib/weir/events;",
    "```",
    "",
    "An event is sent where it fits one of the lines of `only`, or there is none, and no line of `except`. It fits a line when",
    "every key of the line has one of its values, `*` standing for anything. Old words: `notify` for `event_sink`, `sink` for",
    "`url`, `verbose` for `level`. Scripts of Lua are refused.",
  ].join("\n");
}
