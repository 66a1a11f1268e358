#include "gui/app/shortcut_sheet.h"

#include <QGridLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>

#include "gui/app/theme.h"

namespace meander::gui {
namespace {

struct Group {
    QString name;
    std::vector<const Command*> commands;
};

std::vector<Group> groupsOf(const CommandRegistry& registry) {
    std::vector<Group> groups;
    for (const Command& c : registry.commands()) {
        if (registry.keyText(c.id).isEmpty()) continue;
        const QString name = c.menu.section('/', 0, 0);
        auto it = std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.name == name; });
        if (it == groups.end()) it = groups.insert(groups.end(), Group{name, {}});
        it->commands.push_back(&c);
    }
    return groups;
}

QWidget* groupWidget(const Group& group, const CommandRegistry& registry, QWidget* parent) {
    auto* widget = new QWidget(parent);
    widget->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    auto* grid = new QGridLayout(widget);
    grid->setContentsMargins(0, 0, 0, 8);
    grid->setHorizontalSpacing(24);
    grid->setVerticalSpacing(5);
    auto* head = new QLabel(group.name, widget);
    head->setFont(headFont());
    head->setProperty("muted", true);
    grid->addWidget(head, 0, 0, 1, 2);
    int row = 1;
    for (const Command* c : group.commands) {
        grid->addWidget(new QLabel(c->text, widget), row, 0);
        QStringList keys;
        for (const QKeySequence& k : registry.action(c->id)->shortcuts()) keys.append(k.toString(QKeySequence::NativeText));
        auto* label = new QLabel(keys.join(QStringLiteral("  ")), widget);
        label->setFont(numberFont());
        label->setProperty("muted", true);
        label->setAlignment(Qt::AlignRight);
        grid->addWidget(label, row++, 1);
    }
    grid->setColumnStretch(0, 1);
    return widget;
}

}  // namespace

ShortcutSheet::ShortcutSheet(const CommandRegistry& registry, QWidget* parent) : QDialog(parent) {
    setWindowTitle(tr("Keyboard shortcuts"));
    auto* content = new QWidget;
    content->setProperty("panel", true);
    auto* columns = new QHBoxLayout(content);
    columns->setContentsMargins(20, 16, 20, 8);
    columns->setSpacing(48);
    const auto groups = groupsOf(registry);
    std::size_t total = 0, placed = 0;
    for (const Group& g : groups) total += g.commands.size() + 2;
    QVBoxLayout* column = nullptr;
    for (const Group& g : groups) {
        if (!column || placed > total / 2) {
            if (column) column->addStretch();
            column = new QVBoxLayout;
            columns->addLayout(column, 1);
            if (placed > total / 2) placed = 0, total = std::size_t(-1);
        }
        column->addWidget(groupWidget(g, registry, content));
        placed += g.commands.size() + 2;
    }
    if (column) column->addStretch();
    auto* scroll = new QScrollArea(this);
    scroll->setWidget(content);
    scroll->setWidgetResizable(true);
    auto* close = new QPushButton(tr("Close"), this);
    close->setDefault(true);
    connect(close, &QPushButton::clicked, this, &QDialog::accept);
    auto* box = new QVBoxLayout(this);
    box->setContentsMargins(0, 0, 12, 12);
    box->addWidget(scroll);
    box->addWidget(close, 0, Qt::AlignRight);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setMinimumWidth(content->minimumSizeHint().width() + 24);
    resize(std::max(860, scroll->minimumWidth() + 12), 600);
}

}  // namespace meander::gui
