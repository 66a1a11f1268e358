#include "gui/panels/runs/run_delegate.h"

#include <QLineEdit>
#include <QPainter>
#include <QPainterPath>

#include "gui/document/run_list_model.h"
#include "gui/look/icons.h"
#include "gui/look/style_sheet.h"
#include "gui/look/theme.h"
#include "gui/plots/run_style.h"

namespace meander::gui {
namespace {

constexpr int thumbnailSide = 48, padding = 9, barWidth = 4;

int cardHeight() {
    const int lines = QFontMetrics(interfaceFont()).height() * 3 + 4;
    return std::max(thumbnailSide, lines) + 2 * padding;
}

QRect textRect(const QRect& card) {
    return card.adjusted(padding + thumbnailSide + 8 + barWidth + 9, padding, -padding, -padding);
}

void paintImage(QPainter* p, const QRect& rect, const QModelIndex& index) {
    const Theme& t = theme();
    QPainterPath clip;
    clip.addRoundedRect(QRectF(rect), 3, 3);
    p->save();
    p->setClipPath(clip);
    p->fillRect(rect, t.background);
    const QImage image = index.data(RunListModel::ThumbnailRole).value<QImage>();
    if (!image.isNull()) {
        p->setRenderHint(QPainter::SmoothPixmapTransform, image.width() > rect.width() * 2);
        p->drawImage(rect, image);
    } else {
        p->drawPixmap(rect.center() - QPoint(7, 7), iconPixmap("image", 16, t.dim, p->device()->devicePixelRatioF()));
    }
    p->restore();
}

}  // namespace

QSize RunDelegate::sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const { return {180, cardHeight() + 4}; }

void RunDelegate::paint(QPainter* p, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const Theme& t = theme();
    const QString id = index.data(RunListModel::IdRole).toString();
    const bool isCurrent = m_selection.currentRun() == id, isCompared = m_selection.comparedRun() == id;
    const QRect card = option.rect.adjusted(6, 2, -6, -2);
    p->save();
    p->setRenderHint(QPainter::Antialiasing);
    if (isCurrent || (option.state & QStyle::State_MouseOver)) {
        p->setPen(Qt::NoPen);
        p->setBrush(isCurrent ? t.raised : mixed(t.panel, t.raised, 0.6));
        p->drawRoundedRect(card, 6, 6);
    }
    if ((option.state & QStyle::State_HasFocus) || isCompared) {
        p->setPen(QPen(isCompared ? index.data(RunListModel::ColorRole).value<QColor>() : t.accent, 1,
                       isCompared ? Qt::DashLine : Qt::SolidLine));
        p->setBrush(Qt::NoBrush);
        p->drawRoundedRect(QRectF(card).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
    }
    const int top = card.top() + (card.height() - thumbnailSide) / 2;
    paintImage(p, QRect(card.left() + padding, top, thumbnailSide, thumbnailSide), index);
    const QColor color = index.data(RunListModel::ColorRole).value<QColor>();
    p->setPen(Qt::NoPen);
    p->setBrush(color);
    p->drawRoundedRect(QRectF(card.left() + padding + thumbnailSide + 8, top, barWidth, thumbnailSide), 2, 2);

    const QRect text = textRect(card);
    const int line = (text.height()) / 3;
    p->setFont(interfaceFont(0, false));
    QFont title = interfaceFont();
    title.setWeight(QFont::Medium);
    p->setFont(title);
    p->setPen(t.text);
    const QRect first(text.left(), text.top(), text.width(), line), second = first.translated(0, line),
                                                                    third = second.translated(0, line);
    const QString number = index.data(RunListModel::NumberRole).toString();
    const int numberWidth = QFontMetrics(numberFont(8.6)).horizontalAdvance(number) + 8;
    p->drawText(first, Qt::AlignLeft | Qt::AlignVCenter,
                p->fontMetrics().elidedText(index.data(RunListModel::TitleRole).toString(), Qt::ElideRight,
                                            text.width() - numberWidth));
    p->setFont(numberFont(8.6));
    p->setPen(t.dim);
    p->drawText(first, Qt::AlignRight | Qt::AlignVCenter, number);
    p->setFont(interfaceFont(8.9));
    p->setPen(t.muted);
    p->drawText(
        second, Qt::AlignLeft | Qt::AlignVCenter,
        p->fontMetrics().elidedText(index.data(RunListModel::LineRole).toString(), Qt::ElideRight, text.width()));
    const QString delta = index.data(RunListModel::DeltaRole).toString();
    int deltaWidth = 0;
    if (!delta.isEmpty()) {
        p->setFont(numberFont(8.6));
        p->setPen(t.muted);
        deltaWidth = p->fontMetrics().horizontalAdvance(delta) + 8;
        p->drawText(third, Qt::AlignRight | Qt::AlignVCenter, delta);
    }
    const auto status = RunStatus(index.data(RunListModel::StatusRole).toInt());
    p->setFont(interfaceFont(8.9));
    p->setPen(status == RunStatus::Failed                                          ? t.danger
              : status == RunStatus::Interrupted || status == RunStatus::Cancelled ? t.warning
                                                                                   : color);
    p->drawText(third, Qt::AlignLeft | Qt::AlignVCenter,
                p->fontMetrics().elidedText(index.data(RunListModel::NoteRole).toString(), Qt::ElideRight,
                                            text.width() - deltaWidth));
    const double progress = index.data(RunListModel::ProgressRole).toDouble();
    if (progress >= 0) {
        const QRectF groove(text.left(), card.bottom() - 4, text.width(), 2);
        p->fillRect(groove, t.line);
        p->fillRect(QRectF(groove.left(), groove.top(), groove.width() * std::min(1.0, progress), groove.height()),
                    color);
    }
    p->restore();
}

QWidget* RunDelegate::createEditor(QWidget* parent, const QStyleOptionViewItem&, const QModelIndex&) const {
    auto* editor = new QLineEdit(parent);
    editor->setAccessibleName(tr("Name of the run"));
    editor->setStyleSheet(QStringLiteral("padding: 0 5px;"));  // as high as the line it stands on
    return editor;
}

void RunDelegate::updateEditorGeometry(QWidget* editor, const QStyleOptionViewItem& option, const QModelIndex&) const {
    const QRect text = textRect(option.rect.adjusted(6, 2, -6, -2));
    editor->setGeometry(text.left() - 6, text.top() - 4, text.width() + 8, text.height() / 3 + 5);
}

}  // namespace meander::gui
