/**
 * ISO 639-2/T codes by their ISO 639-1 twins, for the languages that have both and are met in broadcasts.
 * Spec: ISO 639-1, ISO 639-2.
 */
const TWO_TO_THREE: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ar: "ara",
    az: "aze",
    be: "bel",
    bg: "bul",
    bn: "ben",
    bs: "bos",
    ca: "cat",
    cs: "ces",
    cy: "cym",
    da: "dan",
    de: "deu",
    el: "ell",
    en: "eng",
    es: "spa",
    et: "est",
    eu: "eus",
    fa: "fas",
    fi: "fin",
    fr: "fra",
    ga: "gle",
    gl: "glg",
    gu: "guj",
    he: "heb",
    hi: "hin",
    hr: "hrv",
    hu: "hun",
    hy: "hye",
    id: "ind",
    is: "isl",
    it: "ita",
    ja: "jpn",
    ka: "kat",
    kk: "kaz",
    km: "khm",
    ko: "kor",
    ky: "kir",
    lo: "lao",
    lt: "lit",
    lv: "lav",
    mk: "mkd",
    mn: "mon",
    mr: "mar",
    ms: "msa",
    my: "mya",
    ne: "nep",
    nl: "nld",
    no: "nor",
    pa: "pan",
    pl: "pol",
    ps: "pus",
    pt: "por",
    ro: "ron",
    ru: "rus",
    si: "sin",
    sk: "slk",
    sl: "slv",
    sq: "sqi",
    sr: "srp",
    sv: "swe",
    sw: "swa",
    ta: "tam",
    te: "tel",
    tg: "tgk",
    th: "tha",
    tk: "tuk",
    tr: "tur",
    tt: "tat",
    uk: "ukr",
    ur: "urd",
    uz: "uzb",
    vi: "vie",
    zh: "zho",
  }),
);

/**
 * The three-letter code that `mdhd` can hold for a BCP 47 tag; `und` when there is none.
 * Spec: ISO/IEC 14496-12 section 8.4.2.
 */
export function threeLetterCode(tag: string): string {
  const primary = tag.split("-", 1)[0]!.toLowerCase();
  if (/^[a-z]{3}$/.test(primary)) return primary;
  return TWO_TO_THREE.get(primary) ?? "und";
}

/** Packs three letters into 15 bits. Spec: ISO/IEC 14496-12 section 8.4.2.3. */
export function packLanguage(code: string): number {
  let packed = 0;
  for (let i = 0; i < 3; i++) packed = (packed << 5) | (code.charCodeAt(i) - 0x60);
  return packed;
}
