// Every codec: a line here and a file beside it with `const CodecKind& name()`.
CODEC(pixelShuffleCodec)
CODEC(autoencoderKl)
CODEC(autoencoderKlFlux2)
CODEC(autoencoderKlQwenImage)
CODEC(autoencoderDc)
CODEC(autoencoderTiny)
