#include "gui/panels/recipe/rule_stack.h"

#include <QShortcut>
#include <QStyle>

#include "engine/core/switched.h"
#include "gui/document/run_text.h"
#include "gui/look/icons.h"
#include "gui/look/theme.h"
#include "gui/widgets/small_button.h"

namespace meander::gui {
namespace {

QToolButton* cardButton(const QString& iconName, const QString& tooltip, QWidget* parent) {
    auto* b = smallButton(iconName, tooltip, parent);
    b->setIconSize({14, 14});
    b->setFixedSize(22, 22);
    return b;
}

}  // namespace

RuleCard::RuleCard(const QString& title, const std::vector<ChoiceEntry>& entries, QWidget* parent)
    : QFrame(parent),
      m_section(new ChoiceSection(title, entries, this, {}, FormRow::Layout::Above)),
      m_enabled(new QCheckBox(this)),
      m_earlier(cardButton("up", tr("Apply earlier (Alt+Shift+↑)"), this)),
      m_later(cardButton("down", tr("Apply later (Alt+Shift+↓)"), this)),
      m_remove(cardButton("close", tr("Take it out"), this)),
      m_note(new QLabel(this)) {
    setProperty("card", "rule");
    m_note->setWordWrap(true);
    m_note->setFont(interfaceFont(8.9));
    m_note->setProperty("muted", true);
    m_note->hide();
    m_enabled->setToolTip(tr("On or off; off keeps its place and its settings"));
    m_enabled->setAccessibleName(tr("On"));
    m_section->row()->addToHead(m_enabled, {m_earlier, m_later, m_remove});
    auto* box = new QVBoxLayout(this);
    box->setContentsMargins(6, 5, 6, 8);
    box->setSpacing(4);
    box->addWidget(m_section);
    box->addWidget(m_note);
    for (const auto& [keys, button] : {std::pair("Alt+Shift+Up", m_earlier), std::pair("Alt+Shift+Down", m_later)})
        connect(
            new QShortcut(QKeySequence(QLatin1String(keys)), this, nullptr, nullptr, Qt::WidgetWithChildrenShortcut),
            &QShortcut::activated, button, &QToolButton::click);
    connect(m_enabled, &QCheckBox::clicked, this, &RuleCard::switched);
    connect(m_earlier, &QToolButton::clicked, this, [this] { emit moved(-1); });
    connect(m_later, &QToolButton::clicked, this, [this] { emit moved(1); });
    connect(m_remove, &QToolButton::clicked, this, &RuleCard::removed);
}

void RuleCard::setPlace(const QString& title, int index, int count) {
    m_section->row()->label()->setText(title);
    m_earlier->setVisible(count > 1);
    m_later->setVisible(count > 1);
    m_earlier->setEnabled(index > 0);
    m_later->setEnabled(index + 1 < count);
}

void RuleCard::setChoice(const Choice& choice) {
    const bool isOn = !isSwitchedOff(choice);
    m_section->setChoice(choice);
    m_enabled->setChecked(isOn);
    m_section->field()->setEnabled(isOn);
    m_section->form()->setEnabled(isOn);
}

void RuleCard::setNote(const RuleNote& note) {
    m_note->setText(note.text);
    m_note->setVisible(!note.text.isEmpty());
    const bool warns = note.isIdle && m_enabled->isChecked();
    if (m_note->property("warning").toBool() == warns) return;
    m_note->setProperty("warning", warns);
    m_note->setProperty("muted", !warns);
    m_note->style()->unpolish(m_note);
    m_note->style()->polish(m_note);
}

RuleStack::RuleStack(StackWords words, std::vector<ChoiceEntry> entries, QWidget* parent)
    : QWidget(parent),
      m_words(std::move(words)),
      m_entries(std::move(entries)),
      m_box(new QVBoxLayout(this)),
      m_head(new QLabel(m_words.many, this)),
      m_add(new ChoiceField(this)) {
    m_box->setContentsMargins(0, 0, 0, 0);
    m_box->setSpacing(metrics::rowGap);
    m_head->setProperty("muted", true);
    m_head->setFont(interfaceFont(8.9));
    m_head->setWordWrap(true);
    m_head->hide();
    m_box->addWidget(m_head);
    // A list to choose from that never shows a choice of its own.
    m_add->setProperty("add", true);
    m_add->setPlaceholderText(m_words.add);
    m_add->setAccessibleName(m_words.add);
    m_add->setDescribed(true);
    for (const ChoiceEntry& e : m_entries) m_add->addChoice(e.id, e.label, e.help);
    m_add->setGrouping([this](const QString& id) {
        for (const ChoiceEntry& e : m_entries)
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

RuleCard* RuleStack::card(int index) const {
    return index < 0 || index >= int(m_cards.size()) ? nullptr : m_cards[std::size_t(index)];
}
ChoiceSection* RuleStack::rule(int index) const { return card(index) ? card(index)->section() : nullptr; }

void RuleStack::change(std::size_t at, const std::function<void(std::vector<Choice>&)>& how) {
    if (at >= m_rules.size()) return;
    std::vector<Choice> next = m_rules;
    how(next);
    emit edited(next, {});
}

void RuleStack::move(std::size_t at, int by) {
    const std::size_t to = at + std::size_t(by);
    if (to >= m_rules.size()) return;
    change(at, [&](auto& next) { std::swap(next[at], next[to]); });
    // The button stays under the fingers of those who use keys.
    if (RuleCard* now = card(int(to)))
        (by < 0 && now->earlier()->isEnabled() ? now->earlier()
         : by > 0 && now->later()->isEnabled() ? now->later()
                                               : now->removeButton())
            ->setFocus(Qt::OtherFocusReason);
}

void RuleStack::addCard() {
    const std::size_t at = m_cards.size();
    auto* card = new RuleCard(m_words.one, m_entries, this);
    connect(card->section(), &ChoiceSection::edited, this, [this, at](const Choice& c, const std::string& key) {
        if (at >= m_rules.size()) return;
        std::vector<Choice> next = m_rules;
        next[at] = c;
        emit edited(next, key.empty() ? std::string() : std::to_string(at) + "." + key);
    });
    connect(card->section()->form(), &ParamForm::problemsChanged, this, &RuleStack::problemsChanged);
    connect(card, &RuleCard::removed, this,
            [this, at] { change(at, [&](auto& next) { next.erase(next.begin() + std::ptrdiff_t(at)); }); });
    connect(card, &RuleCard::moved, this, [this, at](int by) { move(at, by); });
    connect(card, &RuleCard::switched, this, [this, at](bool on) {
        change(at, [&](auto& next) {
            if (on) next[at].params.erase(enabledKey);
            else next[at].params[enabledKey] = false;
        });
    });
    card->section()->form()->setRuns(m_runs);
    m_box->insertWidget(int(at) + 1, card);
    m_cards.push_back(card);
}

void RuleStack::setRules(const std::vector<Choice>& rules) {
    m_rules = rules;
    const int count = int(rules.size());
    while (m_cards.size() > rules.size()) {
        m_cards.back()->hide();
        m_cards.back()->deleteLater();
        m_cards.pop_back();
    }
    while (m_cards.size() < rules.size()) addCard();
    m_head->setVisible(count > 1);
    for (int i = 0; i < count; ++i) {
        m_cards[std::size_t(i)]->setPlace(count > 1 ? QStringLiteral("%1 %2").arg(m_words.one).arg(i + 1) : m_words.one,
                                          i, count);
        m_cards[std::size_t(i)]->setChoice(rules[std::size_t(i)]);
    }
}

void RuleStack::setRuns(const QList<std::pair<QString, QString>>& runs) {
    m_runs = runs;
    for (const RuleCard* card : m_cards) card->section()->form()->setRuns(runs);
}

QStringList RuleStack::problems() const {
    QStringList list;
    for (const RuleCard* card : m_cards) list += card->section()->form()->problems();
    return list;
}

void RuleStack::setNotes(const std::vector<RuleNote>& notes) {
    const bool isKnown = notes.size() == m_cards.size();
    for (std::size_t i = 0; i < m_cards.size(); ++i) m_cards[i]->setNote(isKnown ? notes[i] : RuleNote());
}

void RuleStack::setReference(const std::vector<Choice>* reference) {
    for (std::size_t i = 0; i < m_cards.size(); ++i) {
        const bool has = reference && i < reference->size();
        m_cards[i]->section()->setReference(has ? &(*reference)[i] : nullptr);
        if (reference && !has) m_cards[i]->section()->row()->setDifference(tr("nothing here"));
    }
}

}  // namespace meander::gui
