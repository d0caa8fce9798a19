import { defineErrors } from "../base/errors.ts";

/** Errors of codec configurations and coded units. */
export const codecErrors = defineErrors({
  CODEC_BAD_CONFIG: {
    disposition: "close-session",
    httpStatus: 422,
    message: "broken {codec} configuration: {reason}",
    doc: "The codec configuration record, or a parameter set in it, does not follow its specification. Check the encoder or the file.",
  },
  CODEC_UNSUPPORTED: {
    disposition: "reject",
    httpStatus: 422,
    message: "{codec} configuration is not supported: {reason}",
    doc: "The configuration is well formed but asks for something this server cannot carry. Change the encoder's settings.",
  },
  CODEC_BAD_UNIT: {
    disposition: "skip-unit",
    httpStatus: 422,
    message: "broken {codec} unit: {reason}",
    doc: "One access unit, frame or packet does not follow its specification; it is counted and dropped.",
  },
  CODEC_TOO_BIG: {
    disposition: "skip-unit",
    httpStatus: 422,
    message: "{codec} unit of {lengthBytes} bytes is over the limit of {limitBytes}",
    doc: "A coded unit is bigger than any picture of a level that exists needs; it is counted and dropped.",
  },
});

/** Makes the error of a configuration that breaks its specification. */
export function badConfig(codec: string, reason: string): Error {
  return codecErrors.error("CODEC_BAD_CONFIG", { codec, reason });
}

/** Makes the error of a coded unit that breaks its specification. */
export function badUnit(codec: string, reason: string): Error {
  return codecErrors.error("CODEC_BAD_UNIT", { codec, reason });
}
