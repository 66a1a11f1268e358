// The program's own SVG icons (resources/icons), drawn in the colours of the theme at the time of painting.
#pragma once
#include <QIcon>
#include <QPixmap>
#include <QString>

namespace meander::gui {

enum class IconTone { Text, Muted, OnAccent, Accent, Warning, Danger };

QIcon icon(const QString& name, IconTone tone = IconTone::Text);
QPixmap iconPixmap(const QString& name, int size, const QColor& color, double devicePixelRatio = 1.0);

}  // namespace meander::gui
