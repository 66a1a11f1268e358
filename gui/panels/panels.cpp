#include "gui/panels/panel.h"

namespace meander::gui {
namespace panel {

#define PANEL(name) PanelInfo name();
#include "gui/panels/list.inl"
#undef PANEL

}  // namespace panel

const std::vector<PanelInfo>& panels() {
    static const std::vector<PanelInfo> list{
#define PANEL(name) panel::name(),
#include "gui/panels/list.inl"
#undef PANEL
    };
    return list;
}

// FNV-1a over what a stored layout depends on; positive.
int layoutVersionOf(const std::vector<PanelInfo>& panels) {
    quint32 hash = 2166136261u;
    for (const PanelInfo& p : panels)
        for (const char byte : QStringLiteral("%1/%2/%3;").arg(p.id).arg(int(p.area)).arg(p.tabGroup).toUtf8())
            hash = (hash ^ quint8(byte)) * 16777619u;
    return int(hash & 0x7fffffffu);
}

}  // namespace meander::gui
