#include "gui/panels/recipe/guidance_list.h"

#include <QMenu>

#include "gui/app/icons.h"
#include "gui/app/theme.h"
#include "gui/document/run_text.h"

namespace meander::gui {

namespace {
constexpr const char* noneId = "";
}

GuidanceList::GuidanceList(QWidget* parent) : QWidget(parent), m_box(new QVBoxLayout(this)), m_add(new QPushButton(tr("Add a guidance rule"), this)) {
    m_box->setContentsMargins(0, 0, 0, 0);
    m_box->setSpacing(metrics::rowGap);
    m_add->setProperty("link", true);
    m_add->setIcon(icon("plus", IconTone::Accent));
    auto* menu = new QMenu(m_add);
    menu->setToolTipsVisible(true);
    for (const ChoiceEntry& e : guidanceEntries()) {
        QAction* a = menu->addAction(e.label);
        a->setToolTip(e.help);
        connect(a, &QAction::triggered, this, [this, id = e.id] {
            std::vector<Choice> next = m_rules;
            next.push_back({id.toStdString(), {}});
            emit edited(next, {});
        });
    }
    connect(m_add, &QPushButton::clicked, this, [this, menu] { menu->popup(m_add->mapToGlobal(QPoint(0, m_add->height()))); });
    m_box->addWidget(m_add, 0, Qt::AlignLeft);
}

ChoiceSection* GuidanceList::rule(int index) const { return index < 0 || index >= int(m_sections.size()) ? nullptr : m_sections[std::size_t(index)]; }

void GuidanceList::build() {
    for (ChoiceSection* s : m_sections) {
        m_box->removeWidget(s);
        s->hide();
        s->deleteLater();
    }
    m_sections.clear();
    for (std::size_t i = 0; i < m_rules.size(); ++i) {
        std::vector<ChoiceEntry> entries = guidanceEntries();
        static const std::vector<ParamSpec> nothing;
        entries.insert(entries.begin(), ChoiceEntry{noneId, tr("Remove"), tr("Takes this rule out."), &nothing});
        auto* section = new ChoiceSection(m_rules.size() > 1 ? tr("Guidance %1").arg(i + 1) : tr("Guidance"), std::move(entries), this);
        connect(section, &ChoiceSection::edited, this, [this, i](const Choice& c, const std::string& key) {
            std::vector<Choice> next = m_rules;
            if (c.id.empty())
                next.erase(next.begin() + std::ptrdiff_t(i));
            else
                next[i] = c;
            emit edited(next, key.empty() ? std::string() : std::to_string(i) + "." + key);
        });
        m_box->insertWidget(int(i), section);
        m_sections.push_back(section);
    }
}

void GuidanceList::setRules(const std::vector<Choice>& rules) {
    const bool isSameCount = rules.size() == m_rules.size();
    m_rules = rules;
    if (!isSameCount) build();
    for (std::size_t i = 0; i < m_rules.size(); ++i) m_sections[i]->setChoice(m_rules[i]);
}

void GuidanceList::setReference(const std::vector<Choice>* reference) {
    for (std::size_t i = 0; i < m_sections.size(); ++i) {
        const bool has = reference && i < reference->size();
        m_sections[i]->setReference(has ? &(*reference)[i] : nullptr);
        if (reference && !has) m_sections[i]->row()->setDifference(tr("no rule here"));
    }
}

}  // namespace meander::gui
