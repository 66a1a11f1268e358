R"(# Flux.1 of Black Forest Labs, and Chroma, whose network makes the modulations of all blocks. A single block's
# linear1 is q, k, v and the feed-forward (1 + 1 + 1 + 4 widths).
x_embedder.*                                      img_in.*
context_embedder.*                                txt_in.*
time_text_embed.timestep_embedder.linear_1.*      time_in.in_layer.*
time_text_embed.timestep_embedder.linear_2.*      time_in.out_layer.*
time_text_embed.guidance_embedder.linear_1.*      guidance_in.in_layer.*
time_text_embed.guidance_embedder.linear_2.*      guidance_in.out_layer.*
time_text_embed.text_embedder.linear_1.*          vector_in.in_layer.*
time_text_embed.text_embedder.linear_2.*          vector_in.out_layer.*
distilled_guidance_layer.layers.{i}.linear_1.*    distilled_guidance_layer.layers.{i}.in_layer.*
distilled_guidance_layer.layers.{i}.linear_2.*    distilled_guidance_layer.layers.{i}.out_layer.*
distilled_guidance_layer.norms.{i}.weight         distilled_guidance_layer.norms.{i}.scale
distilled_guidance_layer.*                        distilled_guidance_layer.*
transformer_blocks.{i}.norm1.linear.*             double_blocks.{i}.img_mod.lin.*
transformer_blocks.{i}.norm1_context.linear.*     double_blocks.{i}.txt_mod.lin.*
transformer_blocks.{i}.attn.to_q.*                double_blocks.{i}.img_attn.qkv.*  rows 0-1/3
transformer_blocks.{i}.attn.add_q_proj.*          double_blocks.{i}.txt_attn.qkv.*  rows 0-1/3
transformer_blocks.{i}.attn.to_k.*                double_blocks.{i}.img_attn.qkv.*  rows 1-2/3
transformer_blocks.{i}.attn.add_k_proj.*          double_blocks.{i}.txt_attn.qkv.*  rows 1-2/3
transformer_blocks.{i}.attn.to_v.*                double_blocks.{i}.img_attn.qkv.*  rows 2-3/3
transformer_blocks.{i}.attn.add_v_proj.*          double_blocks.{i}.txt_attn.qkv.*  rows 2-3/3
transformer_blocks.{i}.attn.norm_q.weight         double_blocks.{i}.img_attn.norm.query_norm.scale
transformer_blocks.{i}.attn.norm_k.weight         double_blocks.{i}.img_attn.norm.key_norm.scale
transformer_blocks.{i}.attn.norm_added_q.weight   double_blocks.{i}.txt_attn.norm.query_norm.scale
transformer_blocks.{i}.attn.norm_added_k.weight   double_blocks.{i}.txt_attn.norm.key_norm.scale
transformer_blocks.{i}.attn.to_out.0.*            double_blocks.{i}.img_attn.proj.*
transformer_blocks.{i}.attn.to_add_out.*          double_blocks.{i}.txt_attn.proj.*
transformer_blocks.{i}.ff.net.0.proj.*            double_blocks.{i}.img_mlp.0.*
transformer_blocks.{i}.ff.net.2.*                 double_blocks.{i}.img_mlp.2.*
transformer_blocks.{i}.ff_context.net.0.proj.*    double_blocks.{i}.txt_mlp.0.*
transformer_blocks.{i}.ff_context.net.2.*         double_blocks.{i}.txt_mlp.2.*
single_transformer_blocks.{i}.norm.linear.*       single_blocks.{i}.modulation.lin.*
single_transformer_blocks.{i}.attn.to_q.*         single_blocks.{i}.linear1.*  rows 0-1/7
single_transformer_blocks.{i}.attn.to_k.*         single_blocks.{i}.linear1.*  rows 1-2/7
single_transformer_blocks.{i}.attn.to_v.*         single_blocks.{i}.linear1.*  rows 2-3/7
single_transformer_blocks.{i}.proj_mlp.*          single_blocks.{i}.linear1.*  rows 3-7/7
single_transformer_blocks.{i}.proj_out.*          single_blocks.{i}.linear2.*
single_transformer_blocks.{i}.attn.norm_q.weight  single_blocks.{i}.norm.query_norm.scale
single_transformer_blocks.{i}.attn.norm_k.weight  single_blocks.{i}.norm.key_norm.scale
norm_out.linear.*                                 final_layer.adaLN_modulation.1.*  swap
proj_out.*                                        final_layer.linear.*
)"
