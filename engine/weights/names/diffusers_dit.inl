R"(# DiT in a folder of diffusers, read by the names of its authors. Every block holds a copy of the embeddings of time
# and class.
x_embedder.proj.*                     pos_embed.proj.*
t_embedder.mlp.0.*                    transformer_blocks.0.norm1.emb.timestep_embedder.linear_1.*
t_embedder.mlp.2.*                    transformer_blocks.0.norm1.emb.timestep_embedder.linear_2.*
y_embedder.embedding_table.*          transformer_blocks.0.norm1.emb.class_embedder.embedding_table.*
blocks.{i}.attn.qkv.*                 transformer_blocks.{i}.attn1.to_q.*&transformer_blocks.{i}.attn1.to_k.*&)"
    R"(transformer_blocks.{i}.attn1.to_v.*
blocks.{i}.attn.proj.*                transformer_blocks.{i}.attn1.to_out.0.*
blocks.{i}.mlp.fc1.*                  transformer_blocks.{i}.ff.net.0.proj.*
blocks.{i}.mlp.fc2.*                  transformer_blocks.{i}.ff.net.2.*
blocks.{i}.adaLN_modulation.1.*       transformer_blocks.{i}.norm1.linear.*
final_layer.adaLN_modulation.1.*      proj_out_1.*
final_layer.linear.*                  proj_out_2.*
)"
