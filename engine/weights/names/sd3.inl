R"(# Stable Diffusion 3 and 3.5. In the last block the context modulation has two parts, stored the other way round:
# read it with "swap" on top.
pos_embed.proj.*                                x_embedder.proj.*
pos_embed.pos_embed                             pos_embed
time_text_embed.timestep_embedder.linear_1.*    t_embedder.mlp.0.*
time_text_embed.timestep_embedder.linear_2.*    t_embedder.mlp.2.*
time_text_embed.text_embedder.linear_1.*        y_embedder.mlp.0.*
time_text_embed.text_embedder.linear_2.*        y_embedder.mlp.2.*
context_embedder.*                              context_embedder.*
transformer_blocks.{i}.attn.to_q.*              joint_blocks.{i}.x_block.attn.qkv.*  rows 0-1/3
transformer_blocks.{i}.attn.add_q_proj.*        joint_blocks.{i}.context_block.attn.qkv.*  rows 0-1/3
transformer_blocks.{i}.attn2.to_q.*             joint_blocks.{i}.x_block.attn2.qkv.*  rows 0-1/3
transformer_blocks.{i}.attn.to_k.*              joint_blocks.{i}.x_block.attn.qkv.*  rows 1-2/3
transformer_blocks.{i}.attn.add_k_proj.*        joint_blocks.{i}.context_block.attn.qkv.*  rows 1-2/3
transformer_blocks.{i}.attn2.to_k.*             joint_blocks.{i}.x_block.attn2.qkv.*  rows 1-2/3
transformer_blocks.{i}.attn.to_v.*              joint_blocks.{i}.x_block.attn.qkv.*  rows 2-3/3
transformer_blocks.{i}.attn.add_v_proj.*        joint_blocks.{i}.context_block.attn.qkv.*  rows 2-3/3
transformer_blocks.{i}.attn2.to_v.*             joint_blocks.{i}.x_block.attn2.qkv.*  rows 2-3/3
transformer_blocks.{i}.attn.norm_q.*            joint_blocks.{i}.x_block.attn.ln_q.*
transformer_blocks.{i}.attn.norm_added_q.*      joint_blocks.{i}.context_block.attn.ln_q.*
transformer_blocks.{i}.attn2.norm_q.*           joint_blocks.{i}.x_block.attn2.ln_q.*
transformer_blocks.{i}.attn.norm_k.*            joint_blocks.{i}.x_block.attn.ln_k.*
transformer_blocks.{i}.attn.norm_added_k.*      joint_blocks.{i}.context_block.attn.ln_k.*
transformer_blocks.{i}.attn2.norm_k.*           joint_blocks.{i}.x_block.attn2.ln_k.*
transformer_blocks.{i}.attn.to_out.0.*          joint_blocks.{i}.x_block.attn.proj.*
transformer_blocks.{i}.attn.to_add_out.*        joint_blocks.{i}.context_block.attn.proj.*
transformer_blocks.{i}.attn2.to_out.0.*         joint_blocks.{i}.x_block.attn2.proj.*
transformer_blocks.{i}.norm1.linear.*           joint_blocks.{i}.x_block.adaLN_modulation.1.*
transformer_blocks.{i}.norm1_context.linear.*   joint_blocks.{i}.context_block.adaLN_modulation.1.*
transformer_blocks.{i}.ff.net.0.proj.*          joint_blocks.{i}.x_block.mlp.fc1.*
transformer_blocks.{i}.ff.net.2.*               joint_blocks.{i}.x_block.mlp.fc2.*
transformer_blocks.{i}.ff_context.net.0.proj.*  joint_blocks.{i}.context_block.mlp.fc1.*
transformer_blocks.{i}.ff_context.net.2.*       joint_blocks.{i}.context_block.mlp.fc2.*
norm_out.linear.*                               final_layer.adaLN_modulation.1.*  swap
proj_out.*                                      final_layer.linear.*
)"
