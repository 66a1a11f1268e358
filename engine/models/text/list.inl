// Every text encoder: a line here and a file beside it with `const TextEncoderKind& name()`.
TEXT_ENCODER(clipTextModel)
TEXT_ENCODER(clipTextModelWithProjection)
