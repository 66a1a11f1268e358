R"(# Text encoders of OpenCLIP as transformers names them.
text_model.embeddings.token_embedding.weight           token_embedding.weight
text_model.embeddings.position_embedding.weight        positional_embedding
text_model.encoder.layers.{i}.layer_norm1.*            transformer.resblocks.{i}.ln_1.*
text_model.encoder.layers.{i}.layer_norm2.*            transformer.resblocks.{i}.ln_2.*
text_model.encoder.layers.{i}.self_attn.q_proj.weight  transformer.resblocks.{i}.attn.in_proj_weight  rows 0-1/3
text_model.encoder.layers.{i}.self_attn.q_proj.bias    transformer.resblocks.{i}.attn.in_proj_bias  rows 0-1/3
text_model.encoder.layers.{i}.self_attn.k_proj.weight  transformer.resblocks.{i}.attn.in_proj_weight  rows 1-2/3
text_model.encoder.layers.{i}.self_attn.k_proj.bias    transformer.resblocks.{i}.attn.in_proj_bias  rows 1-2/3
text_model.encoder.layers.{i}.self_attn.v_proj.weight  transformer.resblocks.{i}.attn.in_proj_weight  rows 2-3/3
text_model.encoder.layers.{i}.self_attn.v_proj.bias    transformer.resblocks.{i}.attn.in_proj_bias  rows 2-3/3
text_model.encoder.layers.{i}.self_attn.out_proj.*     transformer.resblocks.{i}.attn.out_proj.*
text_model.encoder.layers.{i}.mlp.fc1.*                transformer.resblocks.{i}.mlp.c_fc.*
text_model.encoder.layers.{i}.mlp.fc2.*                transformer.resblocks.{i}.mlp.c_proj.*
text_model.final_layer_norm.*                          ln_final.*
text_projection.weight                                 text_projection  transpose
)"
