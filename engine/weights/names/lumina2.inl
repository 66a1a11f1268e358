R"(# Lumina Image 2: three heads of queries share one of keys and values. What is not listed has the names of diffusers.
time_caption_embed.timestep_embedder.linear_1.*  t_embedder.mlp.0.*
time_caption_embed.timestep_embedder.linear_2.*  t_embedder.mlp.2.*
time_caption_embed.caption_embedder.*            cap_embedder.*
norm_out.linear_1.*                              final_layer.adaLN_modulation.1.*
norm_out.linear_2.*                              final_layer.linear.*
layers.{i}.attn.to_q.*                           layers.{i}.attention.qkv.*  rows 0-3/5
layers.{i}.attn.to_k.*                           layers.{i}.attention.qkv.*  rows 3-4/5
layers.{i}.attn.to_v.*                           layers.{i}.attention.qkv.*  rows 4-5/5
layers.{i}.attn.to_out.0.*                       layers.{i}.attention.out.*
layers.{i}.attn.norm_q.*                         layers.{i}.attention.q_norm.*
layers.{i}.attn.norm_k.*                         layers.{i}.attention.k_norm.*
layers.{i}.feed_forward.linear_1.*               layers.{i}.feed_forward.w1.*
layers.{i}.feed_forward.linear_2.*               layers.{i}.feed_forward.w2.*
layers.{i}.feed_forward.linear_3.*               layers.{i}.feed_forward.w3.*
layers.{i}.norm1.linear.*                        layers.{i}.adaLN_modulation.1.*
layers.{i}.norm1.norm.*                          layers.{i}.attention_norm1.*
layers.{i}.norm2.*                               layers.{i}.attention_norm2.*
noise_refiner.{i}.attn.to_q.*                    noise_refiner.{i}.attention.qkv.*  rows 0-3/5
noise_refiner.{i}.attn.to_k.*                    noise_refiner.{i}.attention.qkv.*  rows 3-4/5
noise_refiner.{i}.attn.to_v.*                    noise_refiner.{i}.attention.qkv.*  rows 4-5/5
noise_refiner.{i}.attn.to_out.0.*                noise_refiner.{i}.attention.out.*
noise_refiner.{i}.attn.norm_q.*                  noise_refiner.{i}.attention.q_norm.*
noise_refiner.{i}.attn.norm_k.*                  noise_refiner.{i}.attention.k_norm.*
noise_refiner.{i}.feed_forward.linear_1.*        noise_refiner.{i}.feed_forward.w1.*
noise_refiner.{i}.feed_forward.linear_2.*        noise_refiner.{i}.feed_forward.w2.*
noise_refiner.{i}.feed_forward.linear_3.*        noise_refiner.{i}.feed_forward.w3.*
noise_refiner.{i}.norm1.linear.*                 noise_refiner.{i}.adaLN_modulation.1.*
noise_refiner.{i}.norm1.norm.*                   noise_refiner.{i}.attention_norm1.*
noise_refiner.{i}.norm2.*                        noise_refiner.{i}.attention_norm2.*
context_refiner.{i}.attn.to_q.*                  context_refiner.{i}.attention.qkv.*  rows 0-3/5
context_refiner.{i}.attn.to_k.*                  context_refiner.{i}.attention.qkv.*  rows 3-4/5
context_refiner.{i}.attn.to_v.*                  context_refiner.{i}.attention.qkv.*  rows 4-5/5
context_refiner.{i}.attn.to_out.0.*              context_refiner.{i}.attention.out.*
context_refiner.{i}.attn.norm_q.*                context_refiner.{i}.attention.q_norm.*
context_refiner.{i}.attn.norm_k.*                context_refiner.{i}.attention.k_norm.*
context_refiner.{i}.feed_forward.linear_1.*      context_refiner.{i}.feed_forward.w1.*
context_refiner.{i}.feed_forward.linear_2.*      context_refiner.{i}.feed_forward.w2.*
context_refiner.{i}.feed_forward.linear_3.*      context_refiner.{i}.feed_forward.w3.*
context_refiner.{i}.norm1.*                      context_refiner.{i}.attention_norm1.*
context_refiner.{i}.norm2.*                      context_refiner.{i}.attention_norm2.*
*                                                *
)"
