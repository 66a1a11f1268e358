R"(# The decoder of a tiny autoencoder in a file of its own: its sequence begins with the clamp, which has no weights.
decoder.layers.{i}.*  {i+1}.*
decoder.layers.{i}.*  decoder.{i+1}.*
decoder.layers.{i}.*  taesd_decoder.{i+1}.*
)"
