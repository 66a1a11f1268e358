R"(# PixArt-alpha and -Sigma, by the names of their authors.
pos_embed.proj.*                                      x_embedder.proj.*
caption_projection.linear_1.*                         y_embedder.y_proj.fc1.*
caption_projection.linear_2.*                         y_embedder.y_proj.fc2.*
adaln_single.emb.timestep_embedder.linear_1.*         t_embedder.mlp.0.*
adaln_single.emb.timestep_embedder.linear_2.*         t_embedder.mlp.2.*
adaln_single.emb.resolution_embedder.linear_1.*       csize_embedder.mlp.0.*
adaln_single.emb.resolution_embedder.linear_2.*       csize_embedder.mlp.2.*
adaln_single.emb.aspect_ratio_embedder.linear_1.*     ar_embedder.mlp.0.*
adaln_single.emb.aspect_ratio_embedder.linear_2.*     ar_embedder.mlp.2.*
adaln_single.linear.*                                 t_block.1.*
transformer_blocks.{i}.scale_shift_table              blocks.{i}.scale_shift_table
transformer_blocks.{i}.attn1.to_q.*                   blocks.{i}.attn.qkv.*  rows 0-1/3
transformer_blocks.{i}.attn1.to_k.*                   blocks.{i}.attn.qkv.*  rows 1-2/3
transformer_blocks.{i}.attn1.to_v.*                   blocks.{i}.attn.qkv.*  rows 2-3/3
transformer_blocks.{i}.attn1.to_out.0.*               blocks.{i}.attn.proj.*
transformer_blocks.{i}.attn2.to_q.*                   blocks.{i}.cross_attn.q_linear.*
transformer_blocks.{i}.attn2.to_k.*                   blocks.{i}.cross_attn.kv_linear.*  rows 0-1/2
transformer_blocks.{i}.attn2.to_v.*                   blocks.{i}.cross_attn.kv_linear.*  rows 1-2/2
transformer_blocks.{i}.attn2.to_out.0.*               blocks.{i}.cross_attn.proj.*
transformer_blocks.{i}.ff.net.0.proj.*                blocks.{i}.mlp.fc1.*
transformer_blocks.{i}.ff.net.2.*                     blocks.{i}.mlp.fc2.*
scale_shift_table                                     final_layer.scale_shift_table
proj_out.*                                            final_layer.linear.*
)"
