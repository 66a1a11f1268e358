#include "gui/look/icons.h"

#include <QFile>
#include <QIconEngine>
#include <QPainter>
#include <QPixmapCache>
#include <QSvgRenderer>

#include "gui/look/theme.h"

namespace meander::gui {
namespace {

QColor colorOf(IconTone tone) {
    const Theme& t = theme();
    switch (tone) {
    case IconTone::Text: return t.text;
    case IconTone::Muted: return t.muted;
    case IconTone::OnAccent: return t.onAccent;
    case IconTone::Accent: return t.accent;
    case IconTone::Warning: return t.warning;
    case IconTone::Danger: return t.danger;
    }
    return t.text;
}

class ThemedIcon : public QIconEngine {
public:
    ThemedIcon(QString name, IconTone tone) : m_name(std::move(name)), m_tone(tone) {}
    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override {
        painter->drawPixmap(rect, drawn(rect.size(), painter->device()->devicePixelRatioF(), mode));
    }
    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State) override { return drawn(size, 1.0, mode); }
    QPixmap scaledPixmap(const QSize& size, QIcon::Mode mode, QIcon::State, qreal) override {
        return drawn(size, 1.0, mode);
    }
    QIconEngine* clone() const override { return new ThemedIcon(m_name, m_tone); }

private:
    QPixmap drawn(const QSize& size, double ratio, QIcon::Mode mode) const {
        return iconPixmap(m_name, std::min(size.width(), size.height()),
                          mode == QIcon::Disabled ? theme().dim : colorOf(m_tone), ratio);
    }
    QString m_name;
    IconTone m_tone;
};

}  // namespace

QIcon icon(const QString& name, IconTone tone) { return QIcon(new ThemedIcon(name, tone)); }

QPixmap iconPixmap(const QString& name, int size, const QColor& color, double ratio) {
    const QString key = QStringLiteral("icon/%1/%2/%3/%4").arg(name, color.name()).arg(size).arg(ratio);
    QPixmap pixmap;
    if (QPixmapCache::find(key, &pixmap)) return pixmap;
    QFile file(QStringLiteral(":/icons/%1.svg").arg(name));
    if (!file.open(QIODevice::ReadOnly)) return {};
    QSvgRenderer renderer(file.readAll().replace("currentColor", color.name().toLatin1()));
    pixmap = QPixmap(QSize(size, size) * ratio);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    painter.setRenderHint(QPainter::Antialiasing);
    renderer.render(&painter, QRectF(0, 0, size * ratio, size * ratio));
    painter.end();
    pixmap.setDevicePixelRatio(ratio);
    QPixmapCache::insert(key, pixmap);
    return pixmap;
}

}  // namespace meander::gui
