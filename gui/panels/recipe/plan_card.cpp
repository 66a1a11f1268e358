#include "gui/panels/recipe/plan_card.h"

#include <QStyle>

#include "gui/document/run_text.h"
#include "gui/look/theme.h"

namespace meander::gui {
namespace {

// A warning stands before the remarks, marked by a word and a colour.
QString noteText(const PlanNote& note) {
    const QString text = qstr(note.text).toHtmlEscaped();
    if (note.kind != NoteKind::Warning) return text;
    return QStringLiteral("<span style=\"color: %1\"><b>%2</b> %3</span>")
        .arg(theme().warning.name(), PlanCard::tr("Warning:"), text);
}

}  // namespace

PlanCard::PlanCard(QWidget* parent)
    : QFrame(parent), m_title(new QLabel(this)), m_cost(new ElidedLabel(this)), m_notes(new QLabel(this)) {
    setProperty("card", "accent");
    setAccessibleName(tr("Before you run"));
    m_title->setFont(interfaceFont(0, true));
    m_notes->setWordWrap(true);
    m_notes->setProperty("muted", true);
    m_notes->setFont(interfaceFont(8.8));
    auto* box = new QVBoxLayout(this);
    box->setContentsMargins(11, 9, 11, 10);
    box->setSpacing(4);
    box->addWidget(m_title);
    box->addWidget(m_cost);
    m_area = new QScrollArea(this);
    m_area->setWidget(m_notes);
    m_area->setWidgetResizable(true);
    m_area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_area->setFocusPolicy(Qt::NoFocus);
    for (QWidget* w : {m_area->viewport(), static_cast<QWidget*>(m_notes)}) w->setAutoFillBackground(false);
    m_notes->setAlignment(Qt::AlignLeft | Qt::AlignTop);
    box->addWidget(m_area);
    fit();
}

// Always room for the same lines: a card that grew while somebody types would move the form under the pointer. What is
// longer scrolls.
void PlanCard::fit() {
    m_area->setFixedHeight(m_notes->fontMetrics().lineSpacing() * noteLines + 4);
    m_cost->setVisible(!m_cost->text().isEmpty());
    const int line = m_cost->fontMetrics().lineSpacing();
    setFixedHeight(layout()->contentsMargins().top() + layout()->contentsMargins().bottom() + 2 * layout()->spacing()
                   + m_title->sizeHint().height() + line + m_area->height());
    if (!m_cost->isVisibleTo(this)) m_area->setFixedHeight(m_area->height() + line + layout()->spacing());
}

void PlanCard::changeEvent(QEvent* event) {
    QFrame::changeEvent(event);
    if (event->type() == QEvent::FontChange) fit();
}

void PlanCard::show(const Result<Plan>& plan, bool isPlanning, bool hasModel, const QStringList& invalidFields) {
    const bool isUnknown = !plan && isPlanning && !hasModel && invalidFields.isEmpty();
    const bool isBad = !invalidFields.isEmpty() || (!plan && !isUnknown);
    if (property("card").toString() != (isBad ? "danger" : "accent")) {
        setProperty("card", isBad ? "danger" : "accent");
        style()->unpolish(this);
        style()->polish(this);
    }
    m_title->setProperty("danger", isBad);
    m_title->setProperty("accent", !isBad);
    m_title->style()->unpolish(m_title);
    m_title->style()->polish(m_title);
    m_title->setText(isBad ? tr("This cannot run yet") : tr("Before you run"));
    if (isBad || isUnknown) {
        m_cost->clear();
        m_notes->setTextFormat(Qt::PlainText);
        m_notes->setText(!invalidFields.isEmpty() ? invalidFields.join('\n')
                         : isUnknown              ? tr("Reading what the model is …")
                                                  : qstr(plan.error().text));
        return fit();
    }
    const Plan& p = plan.value();
    const QString time = p.seconds > 0 ? tr("about %1").arg(secondsText(p.seconds)) : tr("time unknown");
    m_cost->setText(QStringLiteral("%1 · %2").arg(evaluationsText(p.evaluations), time));
    QStringList notes;
    for (const bool isWarning : {true, false})
        for (const PlanNote& n : p.notes)
            if ((n.kind == NoteKind::Warning) == isWarning) notes.append(noteText(n));
    const auto whole = [](QString number) {
        return number.replace(QLatin1Char(' '), QChar::Nbsp);
    };  // a number and its unit stay on one line
    const QString memory = tr("Takes %1 of memory").arg(whole(bytesText(p.bytes)));
    notes.append(p.recordBytes > 0 ? tr("%1; its record will hold %2.").arg(memory, whole(bytesText(p.recordBytes)))
                                   : memory + '.');
    m_notes->setTextFormat(Qt::RichText);
    m_notes->setText(notes.join(QStringLiteral("<br>")));
    fit();
}

}  // namespace meander::gui
