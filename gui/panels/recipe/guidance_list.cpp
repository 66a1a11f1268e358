#include "gui/panels/recipe/guidance_list.h"

#include <QShortcut>

#include "engine/guidance/guidance.h"
#include "gui/app/icons.h"
#include "gui/app/theme.h"
#include "gui/document/run_text.h"

namespace meander::gui {
namespace {

QToolButton* cardButton(const QString& iconName, const QString& tooltip, QWidget* parent) {
    auto* b = new QToolButton(parent);
    b->setIcon(icon(iconName, IconTone::Muted));
    b->setIconSize({14, 14});
    b->setFixedSize(24, 24);
    b->setProperty("flat", true);
    b->setFocusPolicy(Qt::TabFocus);
    b->setToolTip(tooltip);
    b->setAccessibleName(tooltip);
    return b;
}

}  // namespace

GuidanceCard::GuidanceCard(int index, int count, QWidget* parent)
    : QFrame(parent), m_index(index), m_section(new ChoiceSection(count > 1 ? tr("Guidance %1").arg(index + 1) : tr("Guidance"), guidanceEntries(), this, {}, FormRow::Layout::Above)),
      m_earlier(cardButton("up", tr("Apply earlier (Alt+Shift+↑)"), this)), m_later(cardButton("down", tr("Apply later (Alt+Shift+↓)"), this)), m_remove(cardButton("close", tr("Take this rule out"), this)), m_note(new QLabel(this)) {
    m_note->setWordWrap(true);
    m_note->setFont(interfaceFont(8.9));
    m_note->setProperty("muted", true);
    auto* foot = new QHBoxLayout;
    foot->setContentsMargins(0, 0, 0, 0);
    foot->setSpacing(0);
    foot->addWidget(m_note, 1);
    for (QToolButton* b : {m_earlier, m_later, m_remove}) foot->addWidget(b, 0, Qt::AlignTop);
    auto* box = new QVBoxLayout(this);
    box->setContentsMargins(0, 0, 0, 0);
    box->setSpacing(2);
    box->addWidget(m_section);
    box->addLayout(foot);
    m_earlier->setVisible(count > 1);
    m_later->setVisible(count > 1);
    m_earlier->setEnabled(index > 0);
    m_later->setEnabled(index + 1 < count);
    for (const auto& [keys, button] : {std::pair("Alt+Shift+Up", m_earlier), std::pair("Alt+Shift+Down", m_later)})
        connect(new QShortcut(QKeySequence(QLatin1String(keys)), this, nullptr, nullptr, Qt::WidgetWithChildrenShortcut), &QShortcut::activated, button, &QToolButton::click);
    connect(m_earlier, &QToolButton::clicked, this, [this] { emit moved(-1); });
    connect(m_later, &QToolButton::clicked, this, [this] { emit moved(1); });
    connect(m_remove, &QToolButton::clicked, this, &GuidanceCard::removed);
}

void GuidanceCard::setChoice(const Choice& choice) {
    m_choice = choice;
    m_section->setChoice(choice);
    showNote();
}

void GuidanceCard::setCost(std::optional<RuleCost> cost) {
    m_cost = std::move(cost);
    showNote();
}

void GuidanceCard::showNote() {
    const QString idle = m_cost ? qstr(m_cost->idle) : QString();
    const bool isIdle = !idle.isEmpty();
    QString text = idle;
    if (!isIdle && m_cost) {
        const int n = m_cost->evaluations;
        text = n > 0 ? tr("+%1").arg(evaluationsText(n)) : n < 0 ? tr("saves %1").arg(evaluationsText(-n)) : tr("no further evaluations");
        if (n == 0 && m_index > 0) text = tr("no further evaluations: it uses those of the rules above");
    }
    m_note->setText(text);
    m_note->setProperty("warning", isIdle);
    m_note->setProperty("muted", !isIdle);
    m_note->style()->unpolish(m_note);
    m_note->style()->polish(m_note);
}

GuidanceList::GuidanceList(QWidget* parent) : QWidget(parent), m_box(new QVBoxLayout(this)), m_head(new QLabel(tr("Guidance rules, applied from above"), this)), m_add(new ChoiceField(this)) {
    m_box->setContentsMargins(0, 0, 0, 0);
    m_box->setSpacing(metrics::rowGap);
    m_head->setProperty("dim", true);
    m_head->setFont(interfaceFont(8.9));
    m_head->hide();
    m_box->addWidget(m_head);
    // A list to choose from that never shows a choice of its own.
    m_add->setObjectName("addGuidance");
    m_add->setProperty("add", true);
    m_add->setPlaceholderText(tr("Add a guidance rule"));
    m_add->setAccessibleName(tr("Add a guidance rule"));
    const auto entries = guidanceEntries();
    for (const ChoiceEntry& e : entries) m_add->addChoice(e.id, e.label, e.help);
    m_add->setGrouping([entries](const QString& id) {
        for (const ChoiceEntry& e : entries)
            if (e.id == id) return e.group;
        return QString();
    });
    m_add->setCurrentIndex(-1);
    m_add->setPicksOnly(true);
    connect(m_add, &ChoiceField::chosen, this, [this](const QString& id) {
        m_add->setCurrentIndex(-1);
        std::vector<Choice> next = m_rules;
        next.push_back({id.toStdString(), {}});
        emit edited(next, {});
    });
    m_box->addWidget(m_add);
}

GuidanceCard* GuidanceList::card(int index) const { return index < 0 || index >= int(m_cards.size()) ? nullptr : m_cards[std::size_t(index)]; }
ChoiceSection* GuidanceList::rule(int index) const { return card(index) ? card(index)->section() : nullptr; }

void GuidanceList::build() {
    for (GuidanceCard* c : m_cards) {
        m_box->removeWidget(c);
        c->hide();
        c->deleteLater();
    }
    m_cards.clear();
    const int count = int(m_rules.size());
    m_head->setVisible(count > 1);
    for (int i = 0; i < count; ++i) {
        auto* card = new GuidanceCard(i, count, this);
        const auto at = std::size_t(i);
        connect(card->section(), &ChoiceSection::edited, this, [this, at](const Choice& c, const std::string& key) {
            std::vector<Choice> next = m_rules;
            next[at] = c;
            emit edited(next, key.empty() ? std::string() : std::to_string(at) + "." + key);
        });
        connect(card, &GuidanceCard::removed, this, [this, at] {
            std::vector<Choice> next = m_rules;
            next.erase(next.begin() + std::ptrdiff_t(at));
            emit edited(next, {});
        });
        connect(card, &GuidanceCard::moved, this, [this, at](int by) {
            std::vector<Choice> next = m_rules;
            const std::size_t to = at + std::size_t(by);
            if (to >= next.size()) return;
            std::swap(next[at], next[to]);
            emit edited(next, {});
            // The button stays under the fingers of those who use keys.
            if (GuidanceCard* now = this->card(int(to))) (by < 0 && now->earlier()->isEnabled() ? now->earlier() : by > 0 && now->later()->isEnabled() ? now->later() : now->removeButton())->setFocus(Qt::OtherFocusReason);
        });
        m_box->insertWidget(i + 1, card);
        m_cards.push_back(card);
    }
}

void GuidanceList::setRules(const std::vector<Choice>& rules) {
    const bool isSameCount = rules.size() == m_rules.size();
    m_rules = rules;
    if (!isSameCount) build();
    for (std::size_t i = 0; i < m_rules.size(); ++i) m_cards[i]->setChoice(m_rules[i]);
}

void GuidanceList::setCosts(const std::vector<RuleCost>& costs) {
    const bool isKnown = costs.size() == m_cards.size();
    for (std::size_t i = 0; i < m_cards.size(); ++i) m_cards[i]->setCost(isKnown ? std::optional(costs[i]) : std::nullopt);
}

void GuidanceList::setReference(const std::vector<Choice>* reference) {
    for (std::size_t i = 0; i < m_cards.size(); ++i) {
        const bool has = reference && i < reference->size();
        m_cards[i]->section()->setReference(has ? &(*reference)[i] : nullptr);
        if (reference && !has) m_cards[i]->section()->row()->setDifference(tr("no rule here"));
    }
}

}  // namespace meander::gui
