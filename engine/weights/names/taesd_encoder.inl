R"(# The encoder of a tiny autoencoder in a file of its own: positions in the sequence of its layers.
encoder.layers.{i}.*  {i}.*
encoder.layers.{i}.*  encoder.{i}.*
encoder.layers.{i}.*  taesd_encoder.{i}.*
)"
