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
    url?: string;
    max_sessions?: number;
    soft_limitation?: number;
    session_keys?: string[];
    domains?: string[];
    allowed_countries?: string[];
    disallowed_countries?: string[];
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
    source?: {
      proto: string;
      ip?: string;
    };
  };
};

/** Of the API: Session. */
export type Session = {
  id: string;
  type: "play" | "publish" | "push" | "record";
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
    url?: string;
    max_sessions?: number;
    soft_limitation?: number;
    session_keys?: string[];
    domains?: string[];
    allowed_countries?: string[];
    disallowed_countries?: string[];
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
  streamStop: { method: "POST", path: "/streams/{name}/stop" },
  sessionsList: { method: "GET", path: "/sessions" },
  sessionGet: { method: "GET", path: "/sessions/{id}" },
  sessionDelete: { method: "DELETE", path: "/sessions/{id}" },
  sessionsReauth: { method: "POST", path: "/sessions/reauth" },
  templatesList: { method: "GET", path: "/templates" },
  templateGet: { method: "GET", path: "/templates/{name}" },
  vodsList: { method: "GET", path: "/vods" },
  vodGet: { method: "GET", path: "/vods/{prefix}" },
  vodFilesList: { method: "GET", path: "/vods/{prefix}/storages/{i}/files" },
  vodFolderList: { method: "GET", path: "/vods/{prefix}/storages/{i}/files/{subpath}" },
  dvrsList: { method: "GET", path: "/dvrs" },
  dvrGet: { method: "GET", path: "/dvrs/{name}" },
  authBackendsList: { method: "GET", path: "/auth_backends" },
  authBackendGet: { method: "GET", path: "/auth_backends/{name}" },
  eventSinksList: { method: "GET", path: "/event_sinks" },
  eventSinkGet: { method: "GET", path: "/event_sinks/{name}" },
  configGet: { method: "GET", path: "/config" },
  configStats: { method: "GET", path: "/config/stats" },
  configReload: { method: "POST", path: "/config/reload" },
  configReloadByGet: { method: "GET", path: "/config/reload" },
  openapi: { method: "GET", path: "/openapi.json" },
  liveness: { method: "GET", path: "/monitoring/liveness" },
  readiness: { method: "GET", path: "/monitoring/readiness" },
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
  /** Takes the publisher off; a source of the server's own begins anew. */
  streamStop: {
    path: { name: string };
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
  /** Settings in force; with `full`, all objects of the configuration. */
  configGet: {
    path: {};
    query: { full?: "0" | "1" | "" | "true" | "false" };
    body: undefined;
    reply: {
      http: {
        port: number;
        address?: string;
        api?: boolean;
        ssl?: boolean;
      }[];
      https: {
        port: number;
        address?: string;
        api?: boolean;
        ssl?: boolean;
      }[];
      rtmp: {
        port: number;
        address?: string;
        api?: boolean;
        ssl?: boolean;
      }[];
      rtmps: {
        port: number;
        address?: string;
        api?: boolean;
        ssl?: boolean;
      }[];
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
      cluster_key?: "***";
      api_allowed_from: string[];
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
          url?: string;
          max_sessions?: number;
          soft_limitation?: number;
          session_keys?: string[];
          domains?: string[];
          allowed_countries?: string[];
          disallowed_countries?: string[];
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
          url?: string;
          max_sessions?: number;
          soft_limitation?: number;
          session_keys?: string[];
          domains?: string[];
          allowed_countries?: string[];
          disallowed_countries?: string[];
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
    };
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
      cpu_usage: number;
      memory_usage: number;
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
