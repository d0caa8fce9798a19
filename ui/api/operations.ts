/** What the API answers, made by `npm run docs` from its schemas. */

/** Of the API: Stream. */
export type Stream = {
  name: string;
  named_by: "config" | "user";
  template?: string;
  title?: string;
  comment?: string;
  provider?: string;
  labels?: Record<string, string>;
  position?: number;
  disabled: boolean;
  static: boolean;
  inputs: ({
    url: string;
    priority?: number;
    source_timeout?: number | false;
    stats?: {
      active: boolean;
      proto?: string;
      ip?: string;
      connected_at?: number;
      bytes?: number;
    };
  })[];
  source_timeout: number | false;
  segment_duration: number;
  segment_count: number;
  chunk_duration: number;
  add_audio_only: boolean;
  prepush: number | boolean;
  send_window?: number | "auto";
  protocols: string[];
  second_publisher: "refuse" | "replace";
  dvr?: {
    root: string;
    expiration?: number;
    storage_limit?: number;
    disk_usage_limit?: number;
    copy?: string;
    replicate?: string;
    dvr_offline?: boolean;
  } | null;
  on_play?: {
    url?: string;
    max_sessions?: number;
    soft_limitation?: number;
    session_keys?: string[];
    domains?: string[];
    allowed_countries?: string[];
    disallowed_countries?: string[];
  };
  on_publish?: {
    url: string;
  };
  password?: "***";
  config_on_disk: Record<string, unknown> | null;
  stats: {
    id?: string;
    status: "running" | "waiting" | "error";
    alive: boolean;
    opened_at?: number;
    started_at?: number;
    lifetime?: number;
    retry_count: number;
    bitrate: number;
    input_bitrate: number;
    output_bitrate: number;
    out_bandwidth?: number;
    last_dts?: number;
    last_dts_at?: number;
    ts_delay?: number;
    bytes_in: number;
    bytes_out?: number;
    online_clients: number;
    client_count: number;
    last_access_at?: number;
    media_info?: {
      tracks: ({
        track_id: string;
        content: "video" | "audio" | "text";
        codec: string;
        lang: string;
        width?: number;
        height?: number;
        fps?: number;
        sample_rate?: number;
        channels?: number;
      })[];
    };
    dvr_enabled: boolean;
    dvr_info?: {
      from: number | null;
      depth: number;
      duration: number;
      ranges: {
        from: number;
        duration: number;
      }[];
      bytes: number;
      disk_size: number;
    };
    source?: {
      proto: string;
      ip?: string;
    };
  };
};

/** Of the API: Session. */
export type Session = {
  id: string;
  type: "play" | "publish" | "push" | "record" | "ingest";
  name: string;
  proto: string;
  ip: string;
  country?: string;
  token?: string;
  user_id?: string;
  max_sessions?: number;
  soft_limitation: boolean;
  user_agent?: string;
  referer?: string;
  query_string?: string;
  bytes: number;
  opened_at: number;
  started_at?: number;
  updated_at: number;
  closed_at?: number;
  close_reason?: string;
  ssl: boolean;
  dvr: boolean;
  named_by?: string;
  request_number: number;
  status: "establishing" | "running" | "stalling" | "finished";
};

/** Of the API: Template. */
export type Template = {
  name: string;
  prefixes: string[];
  title?: string;
  comment?: string;
  provider?: string;
  labels?: Record<string, string>;
  position?: number;
  disabled: boolean;
  static: boolean;
  inputs: ({
    url: string;
    priority?: number;
    source_timeout?: number | false;
    stats?: {
      active: boolean;
      proto?: string;
      ip?: string;
      connected_at?: number;
      bytes?: number;
    };
  })[];
  source_timeout: number | false;
  segment_duration: number;
  segment_count: number;
  chunk_duration: number;
  add_audio_only: boolean;
  prepush: number | boolean;
  send_window?: number | "auto";
  protocols: string[];
  second_publisher: "refuse" | "replace";
  dvr?: {
    root: string;
    expiration?: number;
    storage_limit?: number;
    disk_usage_limit?: number;
    copy?: string;
    replicate?: string;
    dvr_offline?: boolean;
  } | null;
  on_play?: {
    url?: string;
    max_sessions?: number;
    soft_limitation?: number;
    session_keys?: string[];
    domains?: string[];
    allowed_countries?: string[];
    disallowed_countries?: string[];
  };
  on_publish?: {
    url: string;
  };
  password?: "***";
  config_on_disk: Record<string, unknown> | null;
};

/** Of the API: Vod. */
export type Vod = {
  prefix: string;
  title?: string;
  comment?: string;
  disabled: boolean;
  storages: {
    url: string;
  }[];
  download: boolean;
  auto_mbr: boolean;
  segment_duration: number;
  add_audio_only: boolean;
  protocols: string[];
  on_play?: {
    url?: string;
    max_sessions?: number;
    soft_limitation?: number;
    session_keys?: string[];
    domains?: string[];
    allowed_countries?: string[];
    disallowed_countries?: string[];
  };
  config_on_disk: Record<string, unknown> | null;
};

/** Of the API: VodFile. */
export type VodFile = {
  name: string;
  type: "file" | "directory";
  size?: number;
  mtime?: number;
};

/** Of the API: Dvr. */
export type Dvr = {
  name: string;
  root: string;
  expiration?: number;
  storage_limit?: number;
  disk_usage_limit?: number;
  copy?: string;
  replicate?: string;
  dvr_offline?: boolean;
  config_on_disk: Record<string, unknown> | null;
};

/** Of the API: AuthBackend. */
export type AuthBackend = {
  name: string;
  allow_tokens: string[];
  deny_tokens: string[];
  allow_ips: string[];
  deny_ips: string[];
  allow_countries: string[];
  deny_countries: string[];
  allow_uas: string[];
  deny_uas: string[];
  backends: {
    url: string;
  }[];
  allow_default: boolean;
  config_on_disk: Record<string, unknown> | null;
};

/** Of the API: EventSink. */
export type EventSink = {
  name: string;
  url: string;
  only: Record<string, string[]>[];
  except: Record<string, string[]>[];
  throttle_delay: number;
  resend_limit?: number;
  resend_timeout: number;
  max_size: number;
  max_depth?: number;
  level?: string;
  sign_key?: "***";
  config_on_disk: Record<string, unknown> | null;
};

/** Of the API: Error. */
export type Error = {
  errors: ({
    id: string;
    status: string;
    code: string;
    title: string;
    source?: {
      pointer: string;
    } | {
      parameter: string;
    };
    meta?: Record<string, unknown>;
  })[];
};

/** Where each operation is asked for. */
export const ADDRESSES = {
  streamsList: { method: "GET", path: "/streams" },
  streamGet: { method: "GET", path: "/streams/{name}" },
  streamPut: { method: "PUT", path: "/streams/{name}" },
  streamDelete: { method: "DELETE", path: "/streams/{name}" },
  streamStop: { method: "POST", path: "/streams/{name}/stop" },
  streamInputSelect: { method: "POST", path: "/streams/{name}/inputs/{i}/select" },
  streamInputSelectByPut: { method: "PUT", path: "/streams/{name}/inputs/{i}/select" },
  sessionsList: { method: "GET", path: "/sessions" },
  sessionGet: { method: "GET", path: "/sessions/{id}" },
  sessionDelete: { method: "DELETE", path: "/sessions/{id}" },
  sessionsReauth: { method: "POST", path: "/sessions/reauth" },
  templatesList: { method: "GET", path: "/templates" },
  templateGet: { method: "GET", path: "/templates/{name}" },
  templatePut: { method: "PUT", path: "/templates/{name}" },
  templateDelete: { method: "DELETE", path: "/templates/{name}" },
  vodsList: { method: "GET", path: "/vods" },
  vodGet: { method: "GET", path: "/vods/{prefix}" },
  vodPut: { method: "PUT", path: "/vods/{prefix}" },
  vodDelete: { method: "DELETE", path: "/vods/{prefix}" },
  vodFilesList: { method: "GET", path: "/vods/{prefix}/storages/{i}/files" },
  vodFolderList: { method: "GET", path: "/vods/{prefix}/storages/{i}/files/{subpath}" },
  dvrsList: { method: "GET", path: "/dvrs" },
  dvrGet: { method: "GET", path: "/dvrs/{name}" },
  dvrPut: { method: "PUT", path: "/dvrs/{name}" },
  dvrDelete: { method: "DELETE", path: "/dvrs/{name}" },
  authBackendsList: { method: "GET", path: "/auth_backends" },
  authBackendGet: { method: "GET", path: "/auth_backends/{name}" },
  authBackendPut: { method: "PUT", path: "/auth_backends/{name}" },
  authBackendDelete: { method: "DELETE", path: "/auth_backends/{name}" },
  eventSinksList: { method: "GET", path: "/event_sinks" },
  eventSinkGet: { method: "GET", path: "/event_sinks/{name}" },
  eventSinkPut: { method: "PUT", path: "/event_sinks/{name}" },
  eventSinkDelete: { method: "DELETE", path: "/event_sinks/{name}" },
  configGet: { method: "GET", path: "/config" },
  configCheck: { method: "POST", path: "/config" },
  configPut: { method: "PUT", path: "/config" },
  metrics: { method: "GET", path: "/monitoring/metrics" },
  configStats: { method: "GET", path: "/config/stats" },
  configReload: { method: "POST", path: "/config/reload" },
  configReloadByGet: { method: "GET", path: "/config/reload" },
  openapi: { method: "GET", path: "/openapi.json" },
  liveness: { method: "GET", path: "/monitoring/liveness" },
  readiness: { method: "GET", path: "/monitoring/readiness" },
  eventsFollow: { method: "GET", path: "/events" },
  eventSinkEvents: { method: "GET", path: "/event_sinks/{name}/events" },
  dvrRanges: { method: "GET", path: "/streams/{name}/dvr/ranges" },
  dvrRangeDelete: { method: "DELETE", path: "/streams/{name}/dvr/ranges" },
  dvrLocks: { method: "GET", path: "/streams/{name}/dvr/locks" },
  dvrLockAdd: { method: "POST", path: "/streams/{name}/dvr/locks" },
  dvrLockDelete: { method: "DELETE", path: "/streams/{name}/dvr/locks" },
  episodesList: { method: "GET", path: "/episodes" },
  episodeMake: { method: "POST", path: "/episodes" },
  episodeGet: { method: "GET", path: "/episodes/{id}" },
  episodePut: { method: "PUT", path: "/episodes/{id}" },
  episodeDelete: { method: "DELETE", path: "/episodes/{id}" },
  dvrExport: { method: "POST", path: "/streams/{name}/dvr/export" },
  dvrExportJobsList: { method: "GET", path: "/dvr_export_jobs" },
  dvrExportJobGet: { method: "GET", path: "/dvr_export_jobs/{id}" },
  dvrExportJobDelete: { method: "DELETE", path: "/dvr_export_jobs/{id}" },
} as const;

/** What each operation takes and answers. */
export type Operations = {
  /** Streams of the configuration, and those that run. */
  streamsList: {
    path: {};
    query: { limit?: number; cursor?: string; sort?: string; select?: string; q?: string; [filter: string]: string | number | undefined };
    body: undefined;
    reply: {
      streams: Stream[];
      estimated_count: number;
      next: string | null;
      prev: string | null;
      timing: Record<string, number>;
      server_id: string;
    };
  };
  /** One stream. */
  streamGet: {
    path: { name: string };
    query: {};
    body: undefined;
    reply: Stream;
  };
  /** Makes it, or changes what is given of it; null takes a setting away. */
  streamPut: {
    path: { name: string };
    query: {};
    body: {
      on_play?: {
        stats?: unknown;
        "$reset"?: boolean;
        url?: string | boolean | number | null;
        max_sessions?: number | string | null;
        max_stream_sessions?: number | string | null;
        soft_limitation?: number | string | boolean | null;
        session_keys?: string | boolean | number | string[] | null;
        domains?: string | boolean | number | string[] | null;
        allowed_countries?: string | boolean | number | string[] | null;
        disallowed_countries?: string | boolean | number | string[] | null;
      } | string | null;
      auth?: {
        stats?: unknown;
        "$reset"?: boolean;
        url?: string | boolean | number | null;
        max_sessions?: number | string | null;
        max_stream_sessions?: number | string | null;
        soft_limitation?: number | string | boolean | null;
        session_keys?: string | boolean | number | string[] | null;
        domains?: string | boolean | number | string[] | null;
        allowed_countries?: string | boolean | number | string[] | null;
        disallowed_countries?: string | boolean | number | string[] | null;
      } | string | null;
      securetoken?: string | boolean | number | null;
      on_publish?: {
        stats?: unknown;
        "$reset"?: boolean;
        url?: string | boolean | number | null;
      } | string | null;
      password?: string | boolean | number | null;
      max_sessions?: number | string | null;
      max_stream_sessions?: number | string | null;
      soft_limitation?: number | string | boolean | null;
      session_keys?: (string | boolean | number)[] | string | null;
      domains?: (string | boolean | number)[] | string | null;
      allowed_countries?: (string | boolean | number)[] | string | null;
      disallowed_countries?: (string | boolean | number)[] | string | null;
      dvr?: {
        stats?: unknown;
        "$reset"?: boolean;
        root?: string | boolean | number | null;
        reference?: string | null;
        expiration?: number | string | boolean | null;
        storage_limit?: number | string | null;
        disk_usage_limit?: number | string | null;
        copy?: string | boolean | number | null;
        local?: number | string | boolean | null;
        replicate?: string | boolean | number | null;
        replication_port?: number | string | null;
        replication_speed?: number | string | null;
        schedule?: string | boolean | number | null;
        fsync?: "none" | "interval" | "fragment" | null;
        episodes_url?: string | boolean | number | null;
        episodes_expiration?: number | string | boolean | null;
        dvr_offline?: boolean | "true" | "false" | null;
        cache?: {
          stats?: unknown;
          "$reset"?: boolean;
          path?: string | boolean | number | null;
          size?: number | string | null;
        } | null;
        disk?: string | boolean | number | (string | boolean | number)[] | null;
        raid?: string | boolean | number | (string | boolean | number)[] | null;
        active?: string | boolean | number | (string | boolean | number)[] | null;
        index?: string | boolean | number | (string | boolean | number)[] | null;
        locked_write?: boolean | "true" | "false" | null;
        keep_locks?: boolean | "true" | "false" | null;
      } | false | null;
      inputs?: ({
        stats?: unknown;
        "$reset"?: boolean;
        url?: string | boolean | number | null;
        priority?: number | string | null;
        source_timeout?: number | string | boolean | null;
        width?: number | string | null;
        height?: number | string | null;
        bitrate?: number | string | null;
        timeout?: string | boolean | number | string[] | null;
        frames_timeout?: string | boolean | number | string[] | null;
        user_agent?: string | boolean | number | string[] | null;
        headers?: string | boolean | number | string[] | null;
        cluster_key?: string | boolean | number | string[] | null;
        via?: string | boolean | number | string[] | null;
        remote_dvr?: string | boolean | number | string[] | null;
        output_audio?: string | boolean | number | string[] | null;
        no_clients_reconnect_delay?: string | boolean | number | string[] | null;
        skip_stalled_check?: string | boolean | number | string[] | null;
        programs?: string | boolean | number | string[] | null;
        pids?: string | boolean | number | string[] | null;
        cc_check?: string | boolean | number | string[] | null;
        subtitles?: string | boolean | number | string[] | null;
        rtp?: string | boolean | number | string[] | null;
        tracks?: string | boolean | number | string[] | null;
        pageUrl?: string | boolean | number | string[] | null;
        swfUrl?: string | boolean | number | string[] | null;
        tcUrl?: string | boolean | number | string[] | null;
        latency?: string | boolean | number | string[] | null;
        streamid?: string | boolean | number | string[] | null;
        mode?: string | boolean | number | string[] | null;
        minversion?: string | boolean | number | string[] | null;
        version?: string | boolean | number | string[] | null;
        linger?: string | boolean | number | string[] | null;
        allow_if?: string | boolean | number | string[] | null;
        deny_if?: string | boolean | number | string[] | null;
        max_bitrate?: string | boolean | number | string[] | null;
        passphrase?: string | boolean | number | string[] | null;
        enforcedencryption?: string | boolean | number | string[] | null;
      } | string)[] | null;
      publish_enabled?: boolean | "true" | "false" | null;
      source_timeout?: number | string | boolean | null;
      static?: boolean | "true" | "false" | null;
      disabled?: boolean | "true" | "false" | null;
      template?: string | boolean | number | null;
      second_publisher?: "refuse" | "replace" | null;
      segment_duration?: number | string | boolean | null;
      segment_count?: number | string | null;
      chunk_duration?: number | string | null;
      add_audio_only?: boolean | "true" | "false" | null;
      prepush?: number | string | boolean | null;
      send_window?: number | string | boolean | null;
      protocols?: (string | boolean | number)[] | string | null;
      title?: string | boolean | number | null;
      comment?: string | boolean | number | null;
      provider?: string | boolean | number | null;
      position?: number | string | null;
      labels?: Record<string, string | number | boolean | null | string[]> | null;
      clients_timeout?: string | boolean | number | (string | boolean | number)[] | null;
      retry_limit?: string | boolean | number | (string | boolean | number)[] | null;
      backup?: {
        file: string;
        stats?: unknown;
        [more: string]: unknown;
      }[] | null;
      pushes?: {
        url: string;
        stats?: unknown;
        [more: string]: unknown;
      }[] | null;
      transcoder?: string | boolean | number | (string | boolean | number)[] | null;
      srt?: string | boolean | number | (string | boolean | number)[] | null;
      srt_play?: string | boolean | number | (string | boolean | number)[] | null;
      srt_publish?: string | boolean | number | (string | boolean | number)[] | null;
      hls_scte35?: string | boolean | number | (string | boolean | number)[] | null;
      mpegts_pids?: string | boolean | number | (string | boolean | number)[] | null;
      mpegts_ac3?: string | boolean | number | (string | boolean | number)[] | null;
      epg_enabled?: string | boolean | number | (string | boolean | number)[] | null;
      webrtc_abr?: string | boolean | number | (string | boolean | number)[] | null;
      cluster_ingest?: string | boolean | number | (string | boolean | number)[] | null;
      thumbnails?: string | boolean | number | (string | boolean | number)[] | null;
      logo?: string | boolean | number | (string | boolean | number)[] | null;
      playback_headers?: string | boolean | number | (string | boolean | number)[] | null;
      url_prefix?: string | boolean | number | (string | boolean | number)[] | null;
      cache?: string | boolean | number | (string | boolean | number)[] | null;
      drm?: string | boolean | number | (string | boolean | number)[] | null;
      name?: string;
      "$reset"?: boolean;
      stats?: unknown;
      config_on_disk?: unknown;
      named_by?: unknown;
      server_id?: unknown;
    };
    reply: {
      config_on_disk: Record<string, unknown>;
      [more: string]: unknown;
    };
  };
  /** Takes it out of the configuration. */
  streamDelete: {
    path: { name: string };
    query: {};
    body: undefined;
    reply: null;
  };
  /** Takes the publisher off; a source of the server's own begins anew. */
  streamStop: {
    path: { name: string };
    query: {};
    body: undefined;
    reply: null;
  };
  /** Lets that input of a stream run, whatever is preferred; `i` counts from 0. */
  streamInputSelect: {
    path: { name: string; i: number };
    query: {};
    body: undefined;
    reply: null;
  };
  /** Lets that input of a stream run, whatever is preferred; `i` counts from 0. */
  streamInputSelectByPut: {
    path: { name: string; i: number };
    query: {};
    body: undefined;
    reply: null;
  };
  /** Who plays and publishes. */
  sessionsList: {
    path: {};
    query: { limit?: number; cursor?: string; sort?: string; select?: string; q?: string; [filter: string]: string | number | undefined };
    body: undefined;
    reply: {
      sessions: Session[];
      estimated_count: number;
      next: string | null;
      prev: string | null;
      timing: Record<string, number>;
    };
  };
  /** One session. */
  sessionGet: {
    path: { id: string };
    query: {};
    body: undefined;
    reply: Session;
  };
  /** Ends a session, and its connections. */
  sessionDelete: {
    path: { id: string };
    query: {};
    body: undefined;
    reply: null;
  };
  /** Asks again whether sessions may go on: those of a stream, or all. */
  sessionsReauth: {
    path: {};
    query: { name?: string };
    body: undefined;
    reply: null;
  };
  /** All templates. */
  templatesList: {
    path: {};
    query: { limit?: number; cursor?: string; sort?: string; select?: string; q?: string; [filter: string]: string | number | undefined };
    body: undefined;
    reply: {
      templates: Template[];
      estimated_count: number;
      next: string | null;
      prev: string | null;
      timing: Record<string, number>;
    };
  };
  /** One template. */
  templateGet: {
    path: { name: string };
    query: {};
    body: undefined;
    reply: Template;
  };
  /** Makes it, or changes what is given of it; null takes a setting away. */
  templatePut: {
    path: { name: string };
    query: {};
    body: {
      on_play?: {
        stats?: unknown;
        "$reset"?: boolean;
        url?: string | boolean | number | null;
        max_sessions?: number | string | null;
        max_stream_sessions?: number | string | null;
        soft_limitation?: number | string | boolean | null;
        session_keys?: string | boolean | number | string[] | null;
        domains?: string | boolean | number | string[] | null;
        allowed_countries?: string | boolean | number | string[] | null;
        disallowed_countries?: string | boolean | number | string[] | null;
      } | string | null;
      auth?: {
        stats?: unknown;
        "$reset"?: boolean;
        url?: string | boolean | number | null;
        max_sessions?: number | string | null;
        max_stream_sessions?: number | string | null;
        soft_limitation?: number | string | boolean | null;
        session_keys?: string | boolean | number | string[] | null;
        domains?: string | boolean | number | string[] | null;
        allowed_countries?: string | boolean | number | string[] | null;
        disallowed_countries?: string | boolean | number | string[] | null;
      } | string | null;
      securetoken?: string | boolean | number | null;
      on_publish?: {
        stats?: unknown;
        "$reset"?: boolean;
        url?: string | boolean | number | null;
      } | string | null;
      password?: string | boolean | number | null;
      max_sessions?: number | string | null;
      max_stream_sessions?: number | string | null;
      soft_limitation?: number | string | boolean | null;
      session_keys?: (string | boolean | number)[] | string | null;
      domains?: (string | boolean | number)[] | string | null;
      allowed_countries?: (string | boolean | number)[] | string | null;
      disallowed_countries?: (string | boolean | number)[] | string | null;
      dvr?: {
        stats?: unknown;
        "$reset"?: boolean;
        root?: string | boolean | number | null;
        reference?: string | null;
        expiration?: number | string | boolean | null;
        storage_limit?: number | string | null;
        disk_usage_limit?: number | string | null;
        copy?: string | boolean | number | null;
        local?: number | string | boolean | null;
        replicate?: string | boolean | number | null;
        replication_port?: number | string | null;
        replication_speed?: number | string | null;
        schedule?: string | boolean | number | null;
        fsync?: "none" | "interval" | "fragment" | null;
        episodes_url?: string | boolean | number | null;
        episodes_expiration?: number | string | boolean | null;
        dvr_offline?: boolean | "true" | "false" | null;
        cache?: {
          stats?: unknown;
          "$reset"?: boolean;
          path?: string | boolean | number | null;
          size?: number | string | null;
        } | null;
        disk?: string | boolean | number | (string | boolean | number)[] | null;
        raid?: string | boolean | number | (string | boolean | number)[] | null;
        active?: string | boolean | number | (string | boolean | number)[] | null;
        index?: string | boolean | number | (string | boolean | number)[] | null;
        locked_write?: boolean | "true" | "false" | null;
        keep_locks?: boolean | "true" | "false" | null;
      } | false | null;
      inputs?: ({
        stats?: unknown;
        "$reset"?: boolean;
        url?: string | boolean | number | null;
        priority?: number | string | null;
        source_timeout?: number | string | boolean | null;
        width?: number | string | null;
        height?: number | string | null;
        bitrate?: number | string | null;
        timeout?: string | boolean | number | string[] | null;
        frames_timeout?: string | boolean | number | string[] | null;
        user_agent?: string | boolean | number | string[] | null;
        headers?: string | boolean | number | string[] | null;
        cluster_key?: string | boolean | number | string[] | null;
        via?: string | boolean | number | string[] | null;
        remote_dvr?: string | boolean | number | string[] | null;
        output_audio?: string | boolean | number | string[] | null;
        no_clients_reconnect_delay?: string | boolean | number | string[] | null;
        skip_stalled_check?: string | boolean | number | string[] | null;
        programs?: string | boolean | number | string[] | null;
        pids?: string | boolean | number | string[] | null;
        cc_check?: string | boolean | number | string[] | null;
        subtitles?: string | boolean | number | string[] | null;
        rtp?: string | boolean | number | string[] | null;
        tracks?: string | boolean | number | string[] | null;
        pageUrl?: string | boolean | number | string[] | null;
        swfUrl?: string | boolean | number | string[] | null;
        tcUrl?: string | boolean | number | string[] | null;
        latency?: string | boolean | number | string[] | null;
        streamid?: string | boolean | number | string[] | null;
        mode?: string | boolean | number | string[] | null;
        minversion?: string | boolean | number | string[] | null;
        version?: string | boolean | number | string[] | null;
        linger?: string | boolean | number | string[] | null;
        allow_if?: string | boolean | number | string[] | null;
        deny_if?: string | boolean | number | string[] | null;
        max_bitrate?: string | boolean | number | string[] | null;
        passphrase?: string | boolean | number | string[] | null;
        enforcedencryption?: string | boolean | number | string[] | null;
      } | string)[] | null;
      publish_enabled?: boolean | "true" | "false" | null;
      source_timeout?: number | string | boolean | null;
      static?: boolean | "true" | "false" | null;
      disabled?: boolean | "true" | "false" | null;
      prefixes?: (string | boolean | number)[] | string | null;
      second_publisher?: "refuse" | "replace" | null;
      segment_duration?: number | string | boolean | null;
      segment_count?: number | string | null;
      chunk_duration?: number | string | null;
      add_audio_only?: boolean | "true" | "false" | null;
      prepush?: number | string | boolean | null;
      send_window?: number | string | boolean | null;
      protocols?: (string | boolean | number)[] | string | null;
      title?: string | boolean | number | null;
      comment?: string | boolean | number | null;
      provider?: string | boolean | number | null;
      position?: number | string | null;
      labels?: Record<string, string | number | boolean | null | string[]> | null;
      clients_timeout?: string | boolean | number | (string | boolean | number)[] | null;
      retry_limit?: string | boolean | number | (string | boolean | number)[] | null;
      backup?: {
        file: string;
        stats?: unknown;
        [more: string]: unknown;
      }[] | null;
      pushes?: {
        url: string;
        stats?: unknown;
        [more: string]: unknown;
      }[] | null;
      transcoder?: string | boolean | number | (string | boolean | number)[] | null;
      srt?: string | boolean | number | (string | boolean | number)[] | null;
      srt_play?: string | boolean | number | (string | boolean | number)[] | null;
      srt_publish?: string | boolean | number | (string | boolean | number)[] | null;
      hls_scte35?: string | boolean | number | (string | boolean | number)[] | null;
      mpegts_pids?: string | boolean | number | (string | boolean | number)[] | null;
      mpegts_ac3?: string | boolean | number | (string | boolean | number)[] | null;
      epg_enabled?: string | boolean | number | (string | boolean | number)[] | null;
      webrtc_abr?: string | boolean | number | (string | boolean | number)[] | null;
      cluster_ingest?: string | boolean | number | (string | boolean | number)[] | null;
      thumbnails?: string | boolean | number | (string | boolean | number)[] | null;
      logo?: string | boolean | number | (string | boolean | number)[] | null;
      playback_headers?: string | boolean | number | (string | boolean | number)[] | null;
      url_prefix?: string | boolean | number | (string | boolean | number)[] | null;
      cache?: string | boolean | number | (string | boolean | number)[] | null;
      drm?: string | boolean | number | (string | boolean | number)[] | null;
      name?: string;
      "$reset"?: boolean;
      stats?: unknown;
      config_on_disk?: unknown;
      named_by?: unknown;
      server_id?: unknown;
    };
    reply: {
      config_on_disk: Record<string, unknown>;
      [more: string]: unknown;
    };
  };
  /** Takes it out of the configuration. */
  templateDelete: {
    path: { name: string };
    query: {};
    body: undefined;
    reply: null;
  };
  /** All vods. */
  vodsList: {
    path: {};
    query: { limit?: number; cursor?: string; sort?: string; select?: string; q?: string; [filter: string]: string | number | undefined };
    body: undefined;
    reply: {
      vods: Vod[];
      estimated_count: number;
      next: string | null;
      prev: string | null;
      timing: Record<string, number>;
    };
  };
  /** One vod. */
  vodGet: {
    path: { prefix: string };
    query: {};
    body: undefined;
    reply: Vod;
  };
  /** Makes it, or changes what is given of it; null takes a setting away. */
  vodPut: {
    path: { prefix: string };
    query: {};
    body: {
      on_play?: {
        stats?: unknown;
        "$reset"?: boolean;
        url?: string | boolean | number | null;
        max_sessions?: number | string | null;
        max_stream_sessions?: number | string | null;
        soft_limitation?: number | string | boolean | null;
        session_keys?: string | boolean | number | string[] | null;
        domains?: string | boolean | number | string[] | null;
        allowed_countries?: string | boolean | number | string[] | null;
        disallowed_countries?: string | boolean | number | string[] | null;
      } | string | null;
      auth?: {
        stats?: unknown;
        "$reset"?: boolean;
        url?: string | boolean | number | null;
        max_sessions?: number | string | null;
        max_stream_sessions?: number | string | null;
        soft_limitation?: number | string | boolean | null;
        session_keys?: string | boolean | number | string[] | null;
        domains?: string | boolean | number | string[] | null;
        allowed_countries?: string | boolean | number | string[] | null;
        disallowed_countries?: string | boolean | number | string[] | null;
      } | string | null;
      securetoken?: string | boolean | number | null;
      max_sessions?: number | string | null;
      max_stream_sessions?: number | string | null;
      soft_limitation?: number | string | boolean | null;
      session_keys?: (string | boolean | number)[] | string | null;
      domains?: (string | boolean | number)[] | string | null;
      allowed_countries?: (string | boolean | number)[] | string | null;
      disallowed_countries?: (string | boolean | number)[] | string | null;
      disabled?: boolean | "true" | "false" | null;
      segment_duration?: number | string | boolean | null;
      add_audio_only?: boolean | "true" | "false" | null;
      protocols?: (string | boolean | number)[] | string | null;
      title?: string | boolean | number | null;
      comment?: string | boolean | number | null;
      thumbnails?: string | boolean | number | (string | boolean | number)[] | null;
      logo?: string | boolean | number | (string | boolean | number)[] | null;
      playback_headers?: string | boolean | number | (string | boolean | number)[] | null;
      url_prefix?: string | boolean | number | (string | boolean | number)[] | null;
      cache?: string | boolean | number | (string | boolean | number)[] | null;
      drm?: string | boolean | number | (string | boolean | number)[] | null;
      storages?: ({
        stats?: unknown;
        "$reset"?: boolean;
        url?: string | boolean | number | null;
      } | string)[] | null;
      download?: boolean | "true" | "false" | null;
      auto_mbr?: boolean | "true" | "false" | null;
      read_queue?: string | boolean | number | (string | boolean | number)[] | null;
      timeout?: string | boolean | number | (string | boolean | number)[] | null;
      prefix?: string;
      "$reset"?: boolean;
      stats?: unknown;
      config_on_disk?: unknown;
      named_by?: unknown;
      server_id?: unknown;
    };
    reply: {
      config_on_disk: Record<string, unknown>;
      [more: string]: unknown;
    };
  };
  /** Takes it out of the configuration. */
  vodDelete: {
    path: { prefix: string };
    query: {};
    body: undefined;
    reply: null;
  };
  /** Files and folders of a storage; `i` counts from 0. */
  vodFilesList: {
    path: { prefix: string; i: number };
    query: { limit?: number; cursor?: string; sort?: string; select?: string; q?: string; [filter: string]: string | number | undefined };
    body: undefined;
    reply: {
      files: VodFile[];
      estimated_count: number;
      next: string | null;
      prev: string | null;
      timing: Record<string, number>;
    };
  };
  /** Files and folders of a folder of a storage, or one file. */
  vodFolderList: {
    path: { prefix: string; i: number; subpath: string };
    query: { limit?: number; cursor?: string; sort?: string; select?: string; q?: string; [filter: string]: string | number | undefined };
    body: undefined;
    reply: {
      files: VodFile[];
      estimated_count: number;
      next: string | null;
      prev: string | null;
      timing: Record<string, number>;
    };
  };
  /** All dvr blocks. */
  dvrsList: {
    path: {};
    query: { limit?: number; cursor?: string; sort?: string; select?: string; q?: string; [filter: string]: string | number | undefined };
    body: undefined;
    reply: {
      dvrs: Dvr[];
      estimated_count: number;
      next: string | null;
      prev: string | null;
      timing: Record<string, number>;
    };
  };
  /** One dvr block. */
  dvrGet: {
    path: { name: string };
    query: {};
    body: undefined;
    reply: Dvr;
  };
  /** Makes it, or changes what is given of it; null takes a setting away. */
  dvrPut: {
    path: { name: string };
    query: {};
    body: {
      root?: string | boolean | number | null;
      expiration?: number | string | boolean | null;
      storage_limit?: number | string | null;
      disk_usage_limit?: number | string | null;
      copy?: string | boolean | number | null;
      local?: number | string | boolean | null;
      replicate?: string | boolean | number | null;
      replication_port?: number | string | null;
      replication_speed?: number | string | null;
      schedule?: (string | boolean | number)[] | string | null;
      fsync?: "none" | "interval" | "fragment" | null;
      episodes_url?: string | boolean | number | null;
      episodes_expiration?: number | string | boolean | null;
      dvr_offline?: boolean | "true" | "false" | null;
      cache?: {
        stats?: unknown;
        "$reset"?: boolean;
        path?: string | boolean | number | null;
        size?: number | string | null;
      } | null;
      disk?: string | boolean | number | (string | boolean | number)[] | null;
      raid?: string | boolean | number | (string | boolean | number)[] | null;
      active?: string | boolean | number | (string | boolean | number)[] | null;
      index?: string | boolean | number | (string | boolean | number)[] | null;
      locked_write?: string | boolean | number | (string | boolean | number)[] | null;
      keep_locks?: string | boolean | number | (string | boolean | number)[] | null;
      reference?: string | null;
      name?: string;
      "$reset"?: boolean;
      stats?: unknown;
      config_on_disk?: unknown;
      named_by?: unknown;
      server_id?: unknown;
    };
    reply: {
      config_on_disk: Record<string, unknown>;
      [more: string]: unknown;
    };
  };
  /** Takes it out of the configuration. */
  dvrDelete: {
    path: { name: string };
    query: {};
    body: undefined;
    reply: null;
  };
  /** All auth_backend blocks. */
  authBackendsList: {
    path: {};
    query: { limit?: number; cursor?: string; sort?: string; select?: string; q?: string; [filter: string]: string | number | undefined };
    body: undefined;
    reply: {
      auth_backends: AuthBackend[];
      estimated_count: number;
      next: string | null;
      prev: string | null;
      timing: Record<string, number>;
    };
  };
  /** One auth_backend block. */
  authBackendGet: {
    path: { name: string };
    query: {};
    body: undefined;
    reply: AuthBackend;
  };
  /** Makes it, or changes what is given of it; null takes a setting away. */
  authBackendPut: {
    path: { name: string };
    query: {};
    body: {
      allow_tokens?: (string | boolean | number)[] | string | null;
      allow_ips?: (string | boolean | number)[] | string | null;
      allow_countries?: (string | boolean | number)[] | string | null;
      allow_uas?: (string | boolean | number)[] | string | null;
      allow_default?: string | boolean | number | null;
      deny_tokens?: (string | boolean | number)[] | string | null;
      deny_ips?: (string | boolean | number)[] | string | null;
      deny_countries?: (string | boolean | number)[] | string | null;
      deny_uas?: (string | boolean | number)[] | string | null;
      deny_default?: string | boolean | number | null;
      backends?: (string | boolean | number | {
        url: string | boolean | number;
      })[] | string | null;
      name?: string;
      "$reset"?: boolean;
      stats?: unknown;
      config_on_disk?: unknown;
      named_by?: unknown;
      server_id?: unknown;
    };
    reply: {
      config_on_disk: Record<string, unknown>;
      [more: string]: unknown;
    };
  };
  /** Takes it out of the configuration. */
  authBackendDelete: {
    path: { name: string };
    query: {};
    body: undefined;
    reply: null;
  };
  /** All event_sink blocks. */
  eventSinksList: {
    path: {};
    query: { limit?: number; cursor?: string; sort?: string; select?: string; q?: string; [filter: string]: string | number | undefined };
    body: undefined;
    reply: {
      event_sinks: EventSink[];
      estimated_count: number;
      next: string | null;
      prev: string | null;
      timing: Record<string, number>;
    };
  };
  /** One event_sink block. */
  eventSinkGet: {
    path: { name: string };
    query: {};
    body: undefined;
    reply: EventSink;
  };
  /** Makes it, or changes what is given of it; null takes a setting away. */
  eventSinkPut: {
    path: { name: string };
    query: {};
    body: {
      url?: string | boolean | number | null;
      only?: (Record<string, string | number | boolean | null | string[]>)[] | null;
      except?: (Record<string, string | number | boolean | null | string[]>)[] | null;
      throttle_delay?: number | string | boolean | null;
      resend_limit?: number | string | null;
      resend_timeout?: number | string | boolean | null;
      max_size?: number | string | null;
      max_depth?: number | string | boolean | null;
      level?: "none" | "alert" | "critical" | "error" | "warning" | "notice" | "info" | "debug" | "warn" | null;
      sign_key?: string | boolean | number | null;
      name?: string;
      "$reset"?: boolean;
      stats?: unknown;
      config_on_disk?: unknown;
      named_by?: unknown;
      server_id?: unknown;
    };
    reply: {
      config_on_disk: Record<string, unknown>;
      [more: string]: unknown;
    };
  };
  /** Takes it out of the configuration. */
  eventSinkDelete: {
    path: { name: string };
    query: {};
    body: undefined;
    reply: null;
  };
  /** Settings in force; with `full`, all objects of the configuration. */
  configGet: {
    path: {};
    query: { full?: "0" | "1" | "" | "true" | "false" };
    body: undefined;
    reply: {
      listeners: {
        http: {
          port: number;
          address?: string;
          api?: boolean;
          proxy_protocol?: boolean;
        }[];
        https: {
          port: number;
          address?: string;
          api?: boolean;
          proxy_protocol?: boolean;
        }[];
        rtmp: {
          port: number;
          address?: string;
          api?: boolean;
          proxy_protocol?: boolean;
        }[];
        rtmps: {
          port: number;
          address?: string;
          api?: boolean;
          proxy_protocol?: boolean;
        }[];
      };
      hostname?: string;
      loglevel: string;
      edit_auth?: {
        login?: string;
        password: "***";
      };
      edit_auth_file?: string;
      view_auth?: {
        login?: string;
        password: "***";
      };
      view_auth_file?: string;
      production: boolean;
      cluster_key?: "***";
      api_allowed_from: string[];
      trusted_proxies: string[];
      api_tokens: {
        name: string;
        scope: string[];
        expires_at?: number;
      }[];
      allowed_hosts: string[];
      auth_token: string;
      geoip?: string;
      event_queue?: string;
      stream_metrics: boolean;
      total_bandwidth?: number;
      threads?: number;
      drain_timeout: number;
      max_connections_per_address: number;
      rtmp_handshake_timeout: number;
      rtmp_idle_timeout: number;
      http_idle_timeout: number;
      max_message_size: number;
      streams?: ({
        name: string;
        named_by: "config" | "user";
        template?: string;
        title?: string;
        comment?: string;
        provider?: string;
        labels?: Record<string, string>;
        position?: number;
        disabled: boolean;
        static: boolean;
        inputs: ({
          url: string;
          priority?: number;
          source_timeout?: number | false;
          stats?: {
            active: boolean;
            proto?: string;
            ip?: string;
            connected_at?: number;
            bytes?: number;
          };
        })[];
        source_timeout: number | false;
        segment_duration: number;
        segment_count: number;
        chunk_duration: number;
        add_audio_only: boolean;
        prepush: number | boolean;
        send_window?: number | "auto";
        protocols: string[];
        second_publisher: "refuse" | "replace";
        dvr?: {
          root: string;
          expiration?: number;
          storage_limit?: number;
          disk_usage_limit?: number;
          copy?: string;
          replicate?: string;
          dvr_offline?: boolean;
        } | null;
        on_play?: {
          url?: string;
          max_sessions?: number;
          soft_limitation?: number;
          session_keys?: string[];
          domains?: string[];
          allowed_countries?: string[];
          disallowed_countries?: string[];
        };
        on_publish?: {
          url: string;
        };
        password?: "***";
        config_on_disk: Record<string, unknown> | null;
        stats: {
          id?: string;
          status: "running" | "waiting" | "error";
          alive: boolean;
          opened_at?: number;
          started_at?: number;
          lifetime?: number;
          retry_count: number;
          bitrate: number;
          input_bitrate: number;
          output_bitrate: number;
          out_bandwidth?: number;
          last_dts?: number;
          last_dts_at?: number;
          ts_delay?: number;
          bytes_in: number;
          bytes_out?: number;
          online_clients: number;
          client_count: number;
          last_access_at?: number;
          media_info?: {
            tracks: ({
              track_id: string;
              content: "video" | "audio" | "text";
              codec: string;
              lang: string;
              width?: number;
              height?: number;
              fps?: number;
              sample_rate?: number;
              channels?: number;
            })[];
          };
          dvr_enabled: boolean;
          dvr_info?: {
            from: number | null;
            depth: number;
            duration: number;
            ranges: {
              from: number;
              duration: number;
            }[];
            bytes: number;
            disk_size: number;
          };
          source?: {
            proto: string;
            ip?: string;
          };
        };
      })[];
      templates?: ({
        name: string;
        prefixes: string[];
        title?: string;
        comment?: string;
        provider?: string;
        labels?: Record<string, string>;
        position?: number;
        disabled: boolean;
        static: boolean;
        inputs: ({
          url: string;
          priority?: number;
          source_timeout?: number | false;
          stats?: {
            active: boolean;
            proto?: string;
            ip?: string;
            connected_at?: number;
            bytes?: number;
          };
        })[];
        source_timeout: number | false;
        segment_duration: number;
        segment_count: number;
        chunk_duration: number;
        add_audio_only: boolean;
        prepush: number | boolean;
        send_window?: number | "auto";
        protocols: string[];
        second_publisher: "refuse" | "replace";
        dvr?: {
          root: string;
          expiration?: number;
          storage_limit?: number;
          disk_usage_limit?: number;
          copy?: string;
          replicate?: string;
          dvr_offline?: boolean;
        } | null;
        on_play?: {
          url?: string;
          max_sessions?: number;
          soft_limitation?: number;
          session_keys?: string[];
          domains?: string[];
          allowed_countries?: string[];
          disallowed_countries?: string[];
        };
        on_publish?: {
          url: string;
        };
        password?: "***";
        config_on_disk: Record<string, unknown> | null;
      })[];
      vods?: ({
        prefix: string;
        title?: string;
        comment?: string;
        disabled: boolean;
        storages: {
          url: string;
        }[];
        download: boolean;
        auto_mbr: boolean;
        segment_duration: number;
        add_audio_only: boolean;
        protocols: string[];
        on_play?: {
          url?: string;
          max_sessions?: number;
          soft_limitation?: number;
          session_keys?: string[];
          domains?: string[];
          allowed_countries?: string[];
          disallowed_countries?: string[];
        };
        config_on_disk: Record<string, unknown> | null;
      })[];
      dvrs?: ({
        name: string;
        root: string;
        expiration?: number;
        storage_limit?: number;
        disk_usage_limit?: number;
        copy?: string;
        replicate?: string;
        dvr_offline?: boolean;
        config_on_disk: Record<string, unknown> | null;
      })[];
      auth_backends?: ({
        name: string;
        allow_tokens: string[];
        deny_tokens: string[];
        allow_ips: string[];
        deny_ips: string[];
        allow_countries: string[];
        deny_countries: string[];
        allow_uas: string[];
        deny_uas: string[];
        backends: {
          url: string;
        }[];
        allow_default: boolean;
        config_on_disk: Record<string, unknown> | null;
      })[];
      event_sinks?: ({
        name: string;
        url: string;
        only: Record<string, string[]>[];
        except: Record<string, string[]>[];
        throttle_delay: number;
        resend_limit?: number;
        resend_timeout: number;
        max_size: number;
        max_depth?: number;
        level?: string;
        sign_key?: "***";
        config_on_disk: Record<string, unknown> | null;
      })[];
      config_on_disk: Record<string, unknown> | null;
    };
  };
  /** Says whether a text is a good configuration; changes nothing. */
  configCheck: {
    path: {};
    query: {};
    body: {
      config: string;
    };
    reply: {
      error: string | null;
      line: number | null;
      col: number | null;
      first_error_line: number | null;
      first_error_col: number | null;
      path: string[];
      detail: string | null;
      problems: ({
        code: string;
        severity: "error" | "warning" | "note";
        file: string;
        line: number;
        col: number;
        detail: string;
        hint?: string;
      })[];
    };
  };
  /** Replaces the text of the configuration's own file, or changes settings and objects. */
  configPut: {
    path: {};
    query: {};
    body: {
      edit_auth?: {
        stats?: unknown;
        "$reset"?: boolean;
        login?: string | boolean | number | null;
        password?: string | boolean | number | null;
      } | null;
      view_auth?: {
        stats?: unknown;
        "$reset"?: boolean;
        login?: string | boolean | number | null;
        password?: string | boolean | number | null;
      } | null;
      edit_auth_file?: string | boolean | number | null;
      view_auth_file?: string | boolean | number | null;
      production?: boolean | "true" | "false" | null;
      cluster_key?: string | boolean | number | null;
      loglevel?: "none" | "alert" | "critical" | "error" | "warning" | "notice" | "info" | "debug" | "warn" | null;
      hostname?: string | boolean | number | null;
      threads?: number | string | null;
      drain_timeout?: number | string | boolean | null;
      max_connections_per_address?: number | string | null;
      rtmp_handshake_timeout?: number | string | boolean | null;
      rtmp_idle_timeout?: number | string | boolean | null;
      http_idle_timeout?: number | string | boolean | null;
      max_message_size?: number | string | null;
      rtsp?: string | boolean | number | (string | boolean | number)[] | null;
      srt?: string | boolean | number | (string | boolean | number)[] | null;
      srt_play?: string | boolean | number | (string | boolean | number)[] | null;
      srt_publish?: string | boolean | number | (string | boolean | number)[] | null;
      turn?: string | boolean | number | (string | boolean | number)[] | null;
      snmp?: string | boolean | number | (string | boolean | number)[] | null;
      sip?: string | boolean | number | (string | boolean | number)[] | null;
      log_requests?: string | boolean | number | (string | boolean | number)[] | null;
      session_log?: string | boolean | number | (string | boolean | number)[] | null;
      pulsedb?: string | boolean | number | (string | boolean | number)[] | null;
      url_prefix?: string | boolean | number | (string | boolean | number)[] | null;
      init_script?: string | boolean | number | (string | boolean | number)[] | null;
      wwwroot?: string | boolean | number | (string | boolean | number)[] | null;
      source?: string | boolean | number | (string | boolean | number)[] | null;
      peer?: string | boolean | number | (string | boolean | number)[] | null;
      balancer?: string | boolean | number | (string | boolean | number)[] | null;
      cache?: string | boolean | number | (string | boolean | number)[] | null;
      transponder?: string | boolean | number | (string | boolean | number)[] | null;
      dvb_card?: string | boolean | number | (string | boolean | number)[] | null;
      decklink?: string | boolean | number | (string | boolean | number)[] | null;
      iptv?: string | boolean | number | (string | boolean | number)[] | null;
      rproxy?: string | boolean | number | (string | boolean | number)[] | null;
      vsaas?: string | boolean | number | (string | boolean | number)[] | null;
      vision?: string | boolean | number | (string | boolean | number)[] | null;
      file_processor?: string | boolean | number | (string | boolean | number)[] | null;
      http_proxy?: string | boolean | number | (string | boolean | number)[] | null;
      web_script?: string | boolean | number | (string | boolean | number)[] | null;
      rtsps?: string | boolean | number | (string | boolean | number)[] | null;
      config_external?: string | boolean | number | (string | boolean | number)[] | null;
      max_sessions?: string | boolean | number | (string | boolean | number)[] | null;
      aliaser?: string | boolean | number | (string | boolean | number)[] | null;
      api_allowed_from?: (string | boolean | number)[] | string | null;
      trusted_proxies?: (string | boolean | number)[] | string | null;
      allowed_hosts?: (string | boolean | number)[] | string | null;
      auth_token?: string | boolean | number | null;
      geoip?: string | boolean | number | null;
      event_queue?: string | boolean | number | null;
      stream_metrics?: boolean | "true" | "false" | null;
      total_bandwidth?: number | string | null;
      traces?: {
        stats?: unknown;
        "$reset"?: boolean;
        url?: string | boolean | number | null;
        share?: string | boolean | number | string[] | null;
      } | string | null;
      listeners?: {
        http?: ({
          stats?: unknown;
          "$reset"?: boolean;
          port?: number | null;
          address?: string | null;
          api?: boolean | "true" | "false" | null;
          send_window?: number | string | boolean | null;
          proxy_protocol?: boolean | "true" | "false" | null;
        } | string)[] | null;
        rtmp?: ({
          stats?: unknown;
          "$reset"?: boolean;
          port?: number | null;
          address?: string | null;
          send_window?: number | string | boolean | null;
          proxy_protocol?: boolean | "true" | "false" | null;
        } | string)[] | null;
        https?: ({
          stats?: unknown;
          "$reset"?: boolean;
          port?: number | null;
          address?: string | null;
          api?: boolean | "true" | "false" | null;
          send_window?: number | string | boolean | null;
          proxy_protocol?: boolean | "true" | "false" | null;
          ssl_protocols?: ("tlsv1.2" | "tlsv1.3" | "sslv3" | "tlsv1" | "tlsv1.1" | "TLSv1.2" | "TLSv1.3" | "TLSv1.1" | "TLSv1" | "SSLv3")[] | string | null;
          certificate?: string | boolean | number | null;
          certificate_key?: string | boolean | number | null;
          certificate_ca?: string | boolean | number | null;
          passphrase?: string | boolean | number | null;
        } | string)[] | null;
        rtmps?: ({
          stats?: unknown;
          "$reset"?: boolean;
          port?: number | null;
          address?: string | null;
          send_window?: number | string | boolean | null;
          proxy_protocol?: boolean | "true" | "false" | null;
          ssl_protocols?: ("tlsv1.2" | "tlsv1.3" | "sslv3" | "tlsv1" | "tlsv1.1" | "TLSv1.2" | "TLSv1.3" | "TLSv1.1" | "TLSv1" | "SSLv3")[] | string | null;
          certificate?: string | boolean | number | null;
          certificate_key?: string | boolean | number | null;
          certificate_ca?: string | boolean | number | null;
          passphrase?: string | boolean | number | null;
        } | string)[] | null;
      };
      streams?: ({
        on_play?: {
          stats?: unknown;
          "$reset"?: boolean;
          url?: string | boolean | number | null;
          max_sessions?: number | string | null;
          max_stream_sessions?: number | string | null;
          soft_limitation?: number | string | boolean | null;
          session_keys?: string | boolean | number | string[] | null;
          domains?: string | boolean | number | string[] | null;
          allowed_countries?: string | boolean | number | string[] | null;
          disallowed_countries?: string | boolean | number | string[] | null;
        } | string | null;
        auth?: {
          stats?: unknown;
          "$reset"?: boolean;
          url?: string | boolean | number | null;
          max_sessions?: number | string | null;
          max_stream_sessions?: number | string | null;
          soft_limitation?: number | string | boolean | null;
          session_keys?: string | boolean | number | string[] | null;
          domains?: string | boolean | number | string[] | null;
          allowed_countries?: string | boolean | number | string[] | null;
          disallowed_countries?: string | boolean | number | string[] | null;
        } | string | null;
        securetoken?: string | boolean | number | null;
        on_publish?: {
          stats?: unknown;
          "$reset"?: boolean;
          url?: string | boolean | number | null;
        } | string | null;
        password?: string | boolean | number | null;
        max_sessions?: number | string | null;
        max_stream_sessions?: number | string | null;
        soft_limitation?: number | string | boolean | null;
        session_keys?: (string | boolean | number)[] | string | null;
        domains?: (string | boolean | number)[] | string | null;
        allowed_countries?: (string | boolean | number)[] | string | null;
        disallowed_countries?: (string | boolean | number)[] | string | null;
        dvr?: {
          stats?: unknown;
          "$reset"?: boolean;
          root?: string | boolean | number | null;
          reference?: string | null;
          expiration?: number | string | boolean | null;
          storage_limit?: number | string | null;
          disk_usage_limit?: number | string | null;
          copy?: string | boolean | number | null;
          local?: number | string | boolean | null;
          replicate?: string | boolean | number | null;
          replication_port?: number | string | null;
          replication_speed?: number | string | null;
          schedule?: string | boolean | number | null;
          fsync?: "none" | "interval" | "fragment" | null;
          episodes_url?: string | boolean | number | null;
          episodes_expiration?: number | string | boolean | null;
          dvr_offline?: boolean | "true" | "false" | null;
          cache?: {
            stats?: unknown;
            "$reset"?: boolean;
            path?: string | boolean | number | null;
            size?: number | string | null;
          } | null;
          disk?: string | boolean | number | (string | boolean | number)[] | null;
          raid?: string | boolean | number | (string | boolean | number)[] | null;
          active?: string | boolean | number | (string | boolean | number)[] | null;
          index?: string | boolean | number | (string | boolean | number)[] | null;
          locked_write?: boolean | "true" | "false" | null;
          keep_locks?: boolean | "true" | "false" | null;
        } | false | null;
        inputs?: ({
          stats?: unknown;
          "$reset"?: boolean;
          url?: string | boolean | number | null;
          priority?: number | string | null;
          source_timeout?: number | string | boolean | null;
          width?: number | string | null;
          height?: number | string | null;
          bitrate?: number | string | null;
          timeout?: string | boolean | number | string[] | null;
          frames_timeout?: string | boolean | number | string[] | null;
          user_agent?: string | boolean | number | string[] | null;
          headers?: string | boolean | number | string[] | null;
          cluster_key?: string | boolean | number | string[] | null;
          via?: string | boolean | number | string[] | null;
          remote_dvr?: string | boolean | number | string[] | null;
          output_audio?: string | boolean | number | string[] | null;
          no_clients_reconnect_delay?: string | boolean | number | string[] | null;
          skip_stalled_check?: string | boolean | number | string[] | null;
          programs?: string | boolean | number | string[] | null;
          pids?: string | boolean | number | string[] | null;
          cc_check?: string | boolean | number | string[] | null;
          subtitles?: string | boolean | number | string[] | null;
          rtp?: string | boolean | number | string[] | null;
          tracks?: string | boolean | number | string[] | null;
          pageUrl?: string | boolean | number | string[] | null;
          swfUrl?: string | boolean | number | string[] | null;
          tcUrl?: string | boolean | number | string[] | null;
          latency?: string | boolean | number | string[] | null;
          streamid?: string | boolean | number | string[] | null;
          mode?: string | boolean | number | string[] | null;
          minversion?: string | boolean | number | string[] | null;
          version?: string | boolean | number | string[] | null;
          linger?: string | boolean | number | string[] | null;
          allow_if?: string | boolean | number | string[] | null;
          deny_if?: string | boolean | number | string[] | null;
          max_bitrate?: string | boolean | number | string[] | null;
          passphrase?: string | boolean | number | string[] | null;
          enforcedencryption?: string | boolean | number | string[] | null;
        } | string)[] | null;
        publish_enabled?: boolean | "true" | "false" | null;
        source_timeout?: number | string | boolean | null;
        static?: boolean | "true" | "false" | null;
        disabled?: boolean | "true" | "false" | null;
        template?: string | boolean | number | null;
        second_publisher?: "refuse" | "replace" | null;
        segment_duration?: number | string | boolean | null;
        segment_count?: number | string | null;
        chunk_duration?: number | string | null;
        add_audio_only?: boolean | "true" | "false" | null;
        prepush?: number | string | boolean | null;
        send_window?: number | string | boolean | null;
        protocols?: (string | boolean | number)[] | string | null;
        title?: string | boolean | number | null;
        comment?: string | boolean | number | null;
        provider?: string | boolean | number | null;
        position?: number | string | null;
        labels?: Record<string, string | number | boolean | null | string[]> | null;
        clients_timeout?: string | boolean | number | (string | boolean | number)[] | null;
        retry_limit?: string | boolean | number | (string | boolean | number)[] | null;
        backup?: {
          file: string;
          stats?: unknown;
          [more: string]: unknown;
        }[] | null;
        pushes?: {
          url: string;
          stats?: unknown;
          [more: string]: unknown;
        }[] | null;
        transcoder?: string | boolean | number | (string | boolean | number)[] | null;
        srt?: string | boolean | number | (string | boolean | number)[] | null;
        srt_play?: string | boolean | number | (string | boolean | number)[] | null;
        srt_publish?: string | boolean | number | (string | boolean | number)[] | null;
        hls_scte35?: string | boolean | number | (string | boolean | number)[] | null;
        mpegts_pids?: string | boolean | number | (string | boolean | number)[] | null;
        mpegts_ac3?: string | boolean | number | (string | boolean | number)[] | null;
        epg_enabled?: string | boolean | number | (string | boolean | number)[] | null;
        webrtc_abr?: string | boolean | number | (string | boolean | number)[] | null;
        cluster_ingest?: string | boolean | number | (string | boolean | number)[] | null;
        thumbnails?: string | boolean | number | (string | boolean | number)[] | null;
        logo?: string | boolean | number | (string | boolean | number)[] | null;
        playback_headers?: string | boolean | number | (string | boolean | number)[] | null;
        url_prefix?: string | boolean | number | (string | boolean | number)[] | null;
        cache?: string | boolean | number | (string | boolean | number)[] | null;
        drm?: string | boolean | number | (string | boolean | number)[] | null;
        name?: string;
        "$reset"?: boolean;
        stats?: unknown;
        config_on_disk?: unknown;
        named_by?: unknown;
        server_id?: unknown;
      })[] | null;
      templates?: ({
        on_play?: {
          stats?: unknown;
          "$reset"?: boolean;
          url?: string | boolean | number | null;
          max_sessions?: number | string | null;
          max_stream_sessions?: number | string | null;
          soft_limitation?: number | string | boolean | null;
          session_keys?: string | boolean | number | string[] | null;
          domains?: string | boolean | number | string[] | null;
          allowed_countries?: string | boolean | number | string[] | null;
          disallowed_countries?: string | boolean | number | string[] | null;
        } | string | null;
        auth?: {
          stats?: unknown;
          "$reset"?: boolean;
          url?: string | boolean | number | null;
          max_sessions?: number | string | null;
          max_stream_sessions?: number | string | null;
          soft_limitation?: number | string | boolean | null;
          session_keys?: string | boolean | number | string[] | null;
          domains?: string | boolean | number | string[] | null;
          allowed_countries?: string | boolean | number | string[] | null;
          disallowed_countries?: string | boolean | number | string[] | null;
        } | string | null;
        securetoken?: string | boolean | number | null;
        on_publish?: {
          stats?: unknown;
          "$reset"?: boolean;
          url?: string | boolean | number | null;
        } | string | null;
        password?: string | boolean | number | null;
        max_sessions?: number | string | null;
        max_stream_sessions?: number | string | null;
        soft_limitation?: number | string | boolean | null;
        session_keys?: (string | boolean | number)[] | string | null;
        domains?: (string | boolean | number)[] | string | null;
        allowed_countries?: (string | boolean | number)[] | string | null;
        disallowed_countries?: (string | boolean | number)[] | string | null;
        dvr?: {
          stats?: unknown;
          "$reset"?: boolean;
          root?: string | boolean | number | null;
          reference?: string | null;
          expiration?: number | string | boolean | null;
          storage_limit?: number | string | null;
          disk_usage_limit?: number | string | null;
          copy?: string | boolean | number | null;
          local?: number | string | boolean | null;
          replicate?: string | boolean | number | null;
          replication_port?: number | string | null;
          replication_speed?: number | string | null;
          schedule?: string | boolean | number | null;
          fsync?: "none" | "interval" | "fragment" | null;
          episodes_url?: string | boolean | number | null;
          episodes_expiration?: number | string | boolean | null;
          dvr_offline?: boolean | "true" | "false" | null;
          cache?: {
            stats?: unknown;
            "$reset"?: boolean;
            path?: string | boolean | number | null;
            size?: number | string | null;
          } | null;
          disk?: string | boolean | number | (string | boolean | number)[] | null;
          raid?: string | boolean | number | (string | boolean | number)[] | null;
          active?: string | boolean | number | (string | boolean | number)[] | null;
          index?: string | boolean | number | (string | boolean | number)[] | null;
          locked_write?: boolean | "true" | "false" | null;
          keep_locks?: boolean | "true" | "false" | null;
        } | false | null;
        inputs?: ({
          stats?: unknown;
          "$reset"?: boolean;
          url?: string | boolean | number | null;
          priority?: number | string | null;
          source_timeout?: number | string | boolean | null;
          width?: number | string | null;
          height?: number | string | null;
          bitrate?: number | string | null;
          timeout?: string | boolean | number | string[] | null;
          frames_timeout?: string | boolean | number | string[] | null;
          user_agent?: string | boolean | number | string[] | null;
          headers?: string | boolean | number | string[] | null;
          cluster_key?: string | boolean | number | string[] | null;
          via?: string | boolean | number | string[] | null;
          remote_dvr?: string | boolean | number | string[] | null;
          output_audio?: string | boolean | number | string[] | null;
          no_clients_reconnect_delay?: string | boolean | number | string[] | null;
          skip_stalled_check?: string | boolean | number | string[] | null;
          programs?: string | boolean | number | string[] | null;
          pids?: string | boolean | number | string[] | null;
          cc_check?: string | boolean | number | string[] | null;
          subtitles?: string | boolean | number | string[] | null;
          rtp?: string | boolean | number | string[] | null;
          tracks?: string | boolean | number | string[] | null;
          pageUrl?: string | boolean | number | string[] | null;
          swfUrl?: string | boolean | number | string[] | null;
          tcUrl?: string | boolean | number | string[] | null;
          latency?: string | boolean | number | string[] | null;
          streamid?: string | boolean | number | string[] | null;
          mode?: string | boolean | number | string[] | null;
          minversion?: string | boolean | number | string[] | null;
          version?: string | boolean | number | string[] | null;
          linger?: string | boolean | number | string[] | null;
          allow_if?: string | boolean | number | string[] | null;
          deny_if?: string | boolean | number | string[] | null;
          max_bitrate?: string | boolean | number | string[] | null;
          passphrase?: string | boolean | number | string[] | null;
          enforcedencryption?: string | boolean | number | string[] | null;
        } | string)[] | null;
        publish_enabled?: boolean | "true" | "false" | null;
        source_timeout?: number | string | boolean | null;
        static?: boolean | "true" | "false" | null;
        disabled?: boolean | "true" | "false" | null;
        prefixes?: (string | boolean | number)[] | string | null;
        second_publisher?: "refuse" | "replace" | null;
        segment_duration?: number | string | boolean | null;
        segment_count?: number | string | null;
        chunk_duration?: number | string | null;
        add_audio_only?: boolean | "true" | "false" | null;
        prepush?: number | string | boolean | null;
        send_window?: number | string | boolean | null;
        protocols?: (string | boolean | number)[] | string | null;
        title?: string | boolean | number | null;
        comment?: string | boolean | number | null;
        provider?: string | boolean | number | null;
        position?: number | string | null;
        labels?: Record<string, string | number | boolean | null | string[]> | null;
        clients_timeout?: string | boolean | number | (string | boolean | number)[] | null;
        retry_limit?: string | boolean | number | (string | boolean | number)[] | null;
        backup?: {
          file: string;
          stats?: unknown;
          [more: string]: unknown;
        }[] | null;
        pushes?: {
          url: string;
          stats?: unknown;
          [more: string]: unknown;
        }[] | null;
        transcoder?: string | boolean | number | (string | boolean | number)[] | null;
        srt?: string | boolean | number | (string | boolean | number)[] | null;
        srt_play?: string | boolean | number | (string | boolean | number)[] | null;
        srt_publish?: string | boolean | number | (string | boolean | number)[] | null;
        hls_scte35?: string | boolean | number | (string | boolean | number)[] | null;
        mpegts_pids?: string | boolean | number | (string | boolean | number)[] | null;
        mpegts_ac3?: string | boolean | number | (string | boolean | number)[] | null;
        epg_enabled?: string | boolean | number | (string | boolean | number)[] | null;
        webrtc_abr?: string | boolean | number | (string | boolean | number)[] | null;
        cluster_ingest?: string | boolean | number | (string | boolean | number)[] | null;
        thumbnails?: string | boolean | number | (string | boolean | number)[] | null;
        logo?: string | boolean | number | (string | boolean | number)[] | null;
        playback_headers?: string | boolean | number | (string | boolean | number)[] | null;
        url_prefix?: string | boolean | number | (string | boolean | number)[] | null;
        cache?: string | boolean | number | (string | boolean | number)[] | null;
        drm?: string | boolean | number | (string | boolean | number)[] | null;
        name?: string;
        "$reset"?: boolean;
        stats?: unknown;
        config_on_disk?: unknown;
        named_by?: unknown;
        server_id?: unknown;
      })[] | null;
      vods?: ({
        on_play?: {
          stats?: unknown;
          "$reset"?: boolean;
          url?: string | boolean | number | null;
          max_sessions?: number | string | null;
          max_stream_sessions?: number | string | null;
          soft_limitation?: number | string | boolean | null;
          session_keys?: string | boolean | number | string[] | null;
          domains?: string | boolean | number | string[] | null;
          allowed_countries?: string | boolean | number | string[] | null;
          disallowed_countries?: string | boolean | number | string[] | null;
        } | string | null;
        auth?: {
          stats?: unknown;
          "$reset"?: boolean;
          url?: string | boolean | number | null;
          max_sessions?: number | string | null;
          max_stream_sessions?: number | string | null;
          soft_limitation?: number | string | boolean | null;
          session_keys?: string | boolean | number | string[] | null;
          domains?: string | boolean | number | string[] | null;
          allowed_countries?: string | boolean | number | string[] | null;
          disallowed_countries?: string | boolean | number | string[] | null;
        } | string | null;
        securetoken?: string | boolean | number | null;
        max_sessions?: number | string | null;
        max_stream_sessions?: number | string | null;
        soft_limitation?: number | string | boolean | null;
        session_keys?: (string | boolean | number)[] | string | null;
        domains?: (string | boolean | number)[] | string | null;
        allowed_countries?: (string | boolean | number)[] | string | null;
        disallowed_countries?: (string | boolean | number)[] | string | null;
        disabled?: boolean | "true" | "false" | null;
        segment_duration?: number | string | boolean | null;
        add_audio_only?: boolean | "true" | "false" | null;
        protocols?: (string | boolean | number)[] | string | null;
        title?: string | boolean | number | null;
        comment?: string | boolean | number | null;
        thumbnails?: string | boolean | number | (string | boolean | number)[] | null;
        logo?: string | boolean | number | (string | boolean | number)[] | null;
        playback_headers?: string | boolean | number | (string | boolean | number)[] | null;
        url_prefix?: string | boolean | number | (string | boolean | number)[] | null;
        cache?: string | boolean | number | (string | boolean | number)[] | null;
        drm?: string | boolean | number | (string | boolean | number)[] | null;
        storages?: ({
          stats?: unknown;
          "$reset"?: boolean;
          url?: string | boolean | number | null;
        } | string)[] | null;
        download?: boolean | "true" | "false" | null;
        auto_mbr?: boolean | "true" | "false" | null;
        read_queue?: string | boolean | number | (string | boolean | number)[] | null;
        timeout?: string | boolean | number | (string | boolean | number)[] | null;
        prefix?: string;
        "$reset"?: boolean;
        stats?: unknown;
        config_on_disk?: unknown;
        named_by?: unknown;
        server_id?: unknown;
      })[] | null;
      dvrs?: ({
        root?: string | boolean | number | null;
        expiration?: number | string | boolean | null;
        storage_limit?: number | string | null;
        disk_usage_limit?: number | string | null;
        copy?: string | boolean | number | null;
        local?: number | string | boolean | null;
        replicate?: string | boolean | number | null;
        replication_port?: number | string | null;
        replication_speed?: number | string | null;
        schedule?: (string | boolean | number)[] | string | null;
        fsync?: "none" | "interval" | "fragment" | null;
        episodes_url?: string | boolean | number | null;
        episodes_expiration?: number | string | boolean | null;
        dvr_offline?: boolean | "true" | "false" | null;
        cache?: {
          stats?: unknown;
          "$reset"?: boolean;
          path?: string | boolean | number | null;
          size?: number | string | null;
        } | null;
        disk?: string | boolean | number | (string | boolean | number)[] | null;
        raid?: string | boolean | number | (string | boolean | number)[] | null;
        active?: string | boolean | number | (string | boolean | number)[] | null;
        index?: string | boolean | number | (string | boolean | number)[] | null;
        locked_write?: string | boolean | number | (string | boolean | number)[] | null;
        keep_locks?: string | boolean | number | (string | boolean | number)[] | null;
        reference?: string | null;
        name?: string;
        "$reset"?: boolean;
        stats?: unknown;
        config_on_disk?: unknown;
        named_by?: unknown;
        server_id?: unknown;
      })[] | null;
      auth_backends?: ({
        allow_tokens?: (string | boolean | number)[] | string | null;
        allow_ips?: (string | boolean | number)[] | string | null;
        allow_countries?: (string | boolean | number)[] | string | null;
        allow_uas?: (string | boolean | number)[] | string | null;
        allow_default?: string | boolean | number | null;
        deny_tokens?: (string | boolean | number)[] | string | null;
        deny_ips?: (string | boolean | number)[] | string | null;
        deny_countries?: (string | boolean | number)[] | string | null;
        deny_uas?: (string | boolean | number)[] | string | null;
        deny_default?: string | boolean | number | null;
        backends?: (string | boolean | number | {
          url: string | boolean | number;
        })[] | string | null;
        name?: string;
        "$reset"?: boolean;
        stats?: unknown;
        config_on_disk?: unknown;
        named_by?: unknown;
        server_id?: unknown;
      })[] | null;
      event_sinks?: ({
        url?: string | boolean | number | null;
        only?: (Record<string, string | number | boolean | null | string[]>)[] | null;
        except?: (Record<string, string | number | boolean | null | string[]>)[] | null;
        throttle_delay?: number | string | boolean | null;
        resend_limit?: number | string | null;
        resend_timeout?: number | string | boolean | null;
        max_size?: number | string | null;
        max_depth?: number | string | boolean | null;
        level?: "none" | "alert" | "critical" | "error" | "warning" | "notice" | "info" | "debug" | "warn" | null;
        sign_key?: string | boolean | number | null;
        name?: string;
        "$reset"?: boolean;
        stats?: unknown;
        config_on_disk?: unknown;
        named_by?: unknown;
        server_id?: unknown;
      })[] | null;
      api_tokens?: ({
        token?: string | boolean | number | null;
        scope?: ("view" | "edit" | "streams" | "sessions" | "config" | "archive" | "metrics")[] | string | null;
        expires?: string | boolean | number | null;
        name?: string;
        "$reset"?: boolean;
        stats?: unknown;
        config_on_disk?: unknown;
        named_by?: unknown;
        server_id?: unknown;
      })[] | null;
      jwts?: ({
        algorithms?: (string | boolean | number)[] | string | null;
        secret?: string | boolean | number | null;
        key_file?: string | boolean | number | null;
        jwks?: string | boolean | number | null;
        issuer?: string | boolean | number | null;
        audience?: string | boolean | number | null;
        name?: string;
        "$reset"?: boolean;
        stats?: unknown;
        config_on_disk?: unknown;
        named_by?: unknown;
        server_id?: unknown;
      })[] | null;
      "$reset"?: boolean;
      config_on_disk?: unknown;
    };
    reply: {
      success: true;
    };
  };
  /** Metrics for Prometheus; ?format=openmetrics for the newer format. */
  metrics: {
    path: {};
    query: { format?: "openmetrics" | "prometheus"; request?: "server" | "streams" | "pusher" | "tp"; name?: string };
    body: undefined;
    reply: string;
  };
  /** Figures of the server. */
  configStats: {
    path: {};
    query: {};
    body: undefined;
    reply: {
      server_version: string;
      build: string;
      now: number;
      started_at: number;
      server_id: string;
      hostname: string;
      streamer_status: "starting" | "running" | "draining" | "broken_config";
      config_version: [number, number];
      config_error?: string;
      uptime: number;
      total_streams: number;
      online_streams: number;
      total_clients: number;
      input_kbit: number;
      output_kbit?: number;
      bandwidth_usage?: number;
      cpu_usage: number;
      memory_usage: number;
      scheduler_load: number;
      opened_files?: number;
      partitions: {
        path: string;
        total_mb: number;
        usage: number;
      }[];
      events: {
        resent: number;
        dropped: number;
      };
      text_alerts: string[];
      media_thread_restarts: number;
      resident_bytes: number;
      threads: ({
        index: number;
        status: "running" | "starting";
        [more: string]: unknown;
      })[];
    };
  };
  /** Reads the configuration anew. */
  configReload: {
    path: {};
    query: {};
    body: undefined;
    reply: null;
  };
  /** The same, for clients that only GET; takes edit access. */
  configReloadByGet: {
    path: {};
    query: {};
    body: undefined;
    reply: null;
  };
  /** This description. */
  openapi: {
    path: {};
    query: {};
    body: undefined;
    reply: {
      openapi: string;
      [more: string]: unknown;
    };
  };
  /** Whether the server turns. */
  liveness: {
    path: {};
    query: {};
    body: undefined;
    reply: {
      server_version: string;
      build: string;
      now: number;
      started_at: number;
      reason?: string;
    };
  };
  /** Whether the server takes work. */
  readiness: {
    path: {};
    query: {};
    body: undefined;
    reply: {
      server_version: string;
      build: string;
      now: number;
      started_at: number;
      reason?: string;
    };
  };
  /** Events as they happen, as server-sent events; any field is a filter, as event=play_*. */
  eventsFollow: {
    path: {};
    query: { event?: string; media?: string; last_event_id?: number };
    body: undefined;
    reply: AsyncIterable<Operations["eventSinkEvents"]["reply"]["events"][number]>;
  };
  /** The last events that the sink's filter lets through. */
  eventSinkEvents: {
    path: { name: string };
    query: {};
    body: undefined;
    reply: {
      events: {
        event: string;
        event_id: number;
        utc_ms: number;
        server: string;
        media?: string;
        [more: string]: unknown;
      }[];
    };
  };
  /** What is recorded. */
  dvrRanges: {
    path: { name: string };
    query: { from?: string; to?: string };
    body: undefined;
    reply: {
      estimated_count: number;
      next: null;
      prev: null;
      timing: Record<string, number>;
      ranges: {
        from: number;
        duration: number;
      }[];
      bytes: number;
      truncated: boolean;
    };
  };
  /** Deletes a stretch of time. */
  dvrRangeDelete: {
    path: { name: string };
    query: {};
    body: {
      from: number;
      duration: number;
    };
    reply: null;
  };
  /** Stretches of time that are kept. */
  dvrLocks: {
    path: { name: string };
    query: {};
    body: undefined;
    reply: {
      estimated_count: number;
      next: null;
      prev: null;
      timing: Record<string, number>;
      locks: {
        from: number;
        duration: number;
      }[];
    };
  };
  /** Keeps a stretch of time. */
  dvrLockAdd: {
    path: { name: string };
    query: {};
    body: {
      from: number;
      duration: number;
    };
    reply: null;
  };
  /** Keeps a stretch of time no more. */
  dvrLockDelete: {
    path: { name: string };
    query: {};
    body: {
      from: number;
      duration: number;
    };
    reply: null;
  };
  /** Named stretches of time that are kept. */
  episodesList: {
    path: {};
    query: { name: string; opened_at_lt?: string; closed_at_gt?: string; limit?: string };
    body: undefined;
    reply: {
      estimated_count: number;
      next: null;
      prev: null;
      timing: Record<string, number>;
      episodes: ({
        episode_id: string;
        name: string;
        opened_at: number;
        closed_at: number | null;
        updated_at: number;
        title: string;
        expires_at: number | null;
      })[];
    };
  };
  /** Makes an episode. */
  episodeMake: {
    path: {};
    query: {};
    body: {
      name: string;
      episode_id?: string;
      opened_at: number;
      closed_at?: number | null;
      expires_at?: number | null;
      title?: string;
    };
    reply: {
      episode_id: string;
      name: string;
      opened_at: number;
      closed_at: number | null;
      updated_at: number;
      title: string;
      expires_at: number | null;
    };
  };
  /** One episode. */
  episodeGet: {
    path: { id: string };
    query: { name: string };
    body: undefined;
    reply: {
      episode_id: string;
      name: string;
      opened_at: number;
      closed_at: number | null;
      updated_at: number;
      title: string;
      expires_at: number | null;
    };
  };
  /** Changes an episode, or makes it. */
  episodePut: {
    path: { id: string };
    query: {};
    body: {
      name: string;
      episode_id?: string;
      opened_at?: number;
      closed_at?: number | null;
      expires_at?: number | null;
      title?: string;
    };
    reply: {
      episode_id: string;
      name: string;
      opened_at: number;
      closed_at: number | null;
      updated_at: number;
      title: string;
      expires_at: number | null;
    };
  };
  /** Deletes an episode: what it kept may go. */
  episodeDelete: {
    path: { id: string };
    query: { name: string };
    body: undefined;
    reply: null;
  };
  /** Begins to write a stretch of time into a file. */
  dvrExport: {
    path: { name: string };
    query: { from: string; duration: string; path: string; meta?: string; overwrite?: "true" | "false" };
    body: undefined;
    reply: {
      id: string;
      name: string;
      from: number;
      duration: number;
      path: string;
      meta: string | null;
      status: "waiting" | "running" | "done" | "failed" | "cancelled";
      bytes: number;
      total_bytes: number | null;
      percent: number;
      error: {
        code: string;
        title: string;
      } | null;
      created_at: number;
      started_at: number | null;
      finished_at: number | null;
    };
  };
  /** Exports. */
  dvrExportJobsList: {
    path: {};
    query: {};
    body: undefined;
    reply: {
      estimated_count: number;
      next: null;
      prev: null;
      timing: Record<string, number>;
      dvr_export_jobs: ({
        id: string;
        name: string;
        from: number;
        duration: number;
        path: string;
        meta: string | null;
        status: "waiting" | "running" | "done" | "failed" | "cancelled";
        bytes: number;
        total_bytes: number | null;
        percent: number;
        error: {
          code: string;
          title: string;
        } | null;
        created_at: number;
        started_at: number | null;
        finished_at: number | null;
      })[];
    };
  };
  /** One export. */
  dvrExportJobGet: {
    path: { id: string };
    query: {};
    body: undefined;
    reply: {
      id: string;
      name: string;
      from: number;
      duration: number;
      path: string;
      meta: string | null;
      status: "waiting" | "running" | "done" | "failed" | "cancelled";
      bytes: number;
      total_bytes: number | null;
      percent: number;
      error: {
        code: string;
        title: string;
      } | null;
      created_at: number;
      started_at: number | null;
      finished_at: number | null;
    };
  };
  /** Cancels an export, or forgets one that is over. */
  dvrExportJobDelete: {
    path: { id: string };
    query: {};
    body: undefined;
    reply: null;
  };
};
