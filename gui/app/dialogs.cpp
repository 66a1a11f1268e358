#include "gui/app/dialogs.h"

#include <QClipboard>
#include <QDialogButtonBox>
#include <QFileDialog>
#include <QGuiApplication>
#include <QHeaderView>
#include <QListWidget>
#include <QMessageBox>
#include <QPushButton>
#include <QTableWidget>
#include <QVBoxLayout>

#include "engine/run/recipe_differences.h"
#include "gui/document/run_text.h"
#include "gui/document/settings.h"
#include "gui/look/theme.h"
#include "gui/panels/compare/compare_table.h"
#include "meander_version.h"

namespace meander::gui {
namespace {

const char* const projectFilter = "Meander projects (*.meander)";

QLabel* sentence(const QString& text, QWidget* parent) {
    auto* l = new QLabel(text, parent);
    l->setWordWrap(true);
    return l;
}

SaveAnswer askToSave(QWidget* parent, const QString& name) {
    QMessageBox box(QMessageBox::NoIcon, QStringLiteral("Meander"), MainWindow::tr("Save the changes to %1?").arg(name),
                    QMessageBox::Save | QMessageBox::Discard | QMessageBox::Cancel, parent);
    box.setInformativeText(MainWindow::tr("Changes that are not saved are lost."));
    box.setDefaultButton(QMessageBox::Save);
    const int answer = box.exec();
    return answer == QMessageBox::Save      ? SaveAnswer::Save
           : answer == QMessageBox::Discard ? SaveAnswer::Discard
                                            : SaveAnswer::Cancel;
}

bool askToStop(QWidget* parent, int runs) {
    QMessageBox box(QMessageBox::NoIcon, QStringLiteral("Meander"),
                    runs == 1 ? MainWindow::tr("A run is under way.")
                              : MainWindow::tr("%1 runs are under way or waiting.").arg(runs),
                    QMessageBox::NoButton, parent);
    box.setInformativeText(MainWindow::tr("What is recorded so far is kept in the project; the rest is not computed."));
    QPushButton* stop = box.addButton(MainWindow::tr("Stop and go on"), QMessageBox::DestructiveRole);
    box.setDefaultButton(box.addButton(MainWindow::tr("Keep running"), QMessageBox::RejectRole));
    box.exec();
    return box.clickedButton() == stop;
}

}  // namespace

UserPrompts defaultUserPrompts(MainWindow* window) {
    UserPrompts q;
    q.saveChanges = [window](const QString& name) { return askToSave(window, name); };
    q.stopRuns = [window](int runs) { return askToStop(window, runs); };
    q.openPath = [window] {
        return QFileDialog::getOpenFileName(
            window, MainWindow::tr("Open"), settings::lastFolder(),
            MainWindow::tr("Everything Meander opens (*.meander *.json *.txt *.png *.jpg *.jpeg *.webp *.safetensors "
                           "*.gguf *.ckpt *.pt *.pth *.bin "
                           "*.csv *.npy);;Meander projects (*.meander);;All files (*)"));
    };
    q.savePath = [window] {
        const QString name =
            QFileInfo(window->document().displayName()).completeBaseName() + QStringLiteral(".meander");
        QString path = QFileDialog::getSaveFileName(window, MainWindow::tr("Save the project"),
                                                    settings::lastFolder() + '/' + name, QLatin1String(projectFilter));
        if (!path.isEmpty() && QFileInfo(path).suffix().isEmpty()) path += QStringLiteral(".meander");
        return path;
    };
    q.useRecipe = [window](const Recipe& now, const Recipe& offered, const QString& from, const QStringList& remarks) {
        return askForRecipe(window, now, offered, from, remarks);
    };
    q.recover = [window](Document& document) { askForRecovery(window, document); };
    return q;
}

bool askForRecipe(QWidget* parent, const Recipe& now, const Recipe& offered, const QString& from,
                  const QStringList& remarks) {
    const auto changes = differences(now, offered);
    QDialog dialog(parent);
    dialog.setObjectName("useRecipe");
    dialog.setWindowTitle(MainWindow::tr("Use this recipe?"));
    auto* box = new QVBoxLayout(&dialog);
    box->setContentsMargins(16, 16, 16, 14);
    box->setSpacing(12);
    box->addWidget(sentence(changes.empty()
                                ? MainWindow::tr("%1 holds a recipe that equals the draft.").arg(from)
                                : MainWindow::tr("%1 holds a recipe. As the draft it would change:").arg(from),
                            &dialog));
    if (!changes.empty()) {
        auto* table = new QTableWidget(int(changes.size()), 3, &dialog);
        table->setHorizontalHeaderLabels({MainWindow::tr("Setting"), MainWindow::tr("Now"), MainWindow::tr("Then")});
        table->verticalHeader()->hide();
        table->setShowGrid(false);
        table->setEditTriggers(QAbstractItemView::NoEditTriggers);
        table->setSelectionMode(QAbstractItemView::NoSelection);
        table->setFocusPolicy(Qt::NoFocus);
        table->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
        for (int i = 0; i < int(changes.size()); ++i) {
            const Difference& d = changes[std::size_t(i)];
            const QString cells[] = {qstr(d.label), settingText(d, d.left), settingText(d, d.right)};
            for (int c = 0; c < 3; ++c) {
                table->setItem(i, c, new QTableWidgetItem(cells[c]));
                table->item(i, c)->setTextAlignment(Qt::AlignLeft | Qt::AlignTop);
                table->item(i, c)->setToolTip(cells[c]);
            }
        }
        table->horizontalHeader()->setSectionResizeMode(0, QHeaderView::ResizeToContents);
        table->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
        // Long prompts wrap, at the width the columns really get.
        QObject::connect(table->horizontalHeader(), &QHeaderView::sectionResized, table,
                         &QTableWidget::resizeRowsToContents, Qt::QueuedConnection);
        box->addWidget(table, 1);
    }
    if (!remarks.isEmpty()) {
        auto* list = new QListWidget(&dialog);
        list->setObjectName("importRemarks");
        list->setAccessibleName(MainWindow::tr("Assumed and not understood settings"));
        list->addItems(remarks);
        list->setWordWrap(true);
        list->setSelectionMode(QAbstractItemView::NoSelection);
        list->setMaximumHeight(160);
        box->addWidget(sentence(MainWindow::tr("Not everything was in the file or is known here:"), &dialog));
        box->addWidget(list);
    }
    auto* buttons = new QDialogButtonBox(&dialog);
    if (changes.empty()) {
        buttons->addButton(QDialogButtonBox::Close);
    } else {
        auto* use = new QPushButton(MainWindow::tr("Use as draft"));
        use->setProperty("primary", true);  // before the box gives it its style
        buttons->addButton(use, QDialogButtonBox::AcceptRole);
        buttons->addButton(QDialogButtonBox::Cancel);
    }
    QObject::connect(buttons, &QDialogButtonBox::accepted, &dialog, &QDialog::accept);
    QObject::connect(buttons, &QDialogButtonBox::rejected, &dialog, &QDialog::reject);
    box->addWidget(buttons);
    dialog.resize(560, changes.empty() ? 0 : 380);
    return dialog.exec() == QDialog::Accepted;
}

void askForRecovery(QWidget* parent, Document& document) {
    const auto entries = document.recoverable();
    if (entries.empty()) return;
    QDialog dialog(parent);
    dialog.setObjectName("recovery");
    dialog.setWindowTitle(MainWindow::tr("Unsaved work"));
    auto* box = new QVBoxLayout(&dialog);
    box->setContentsMargins(16, 16, 16, 14);
    box->setSpacing(10);
    box->addWidget(sentence(MainWindow::tr("Meander did not end properly last time. This was not saved:"), &dialog));
    for (const RecoveryEntry& e : entries) {
        auto* card = new QFrame(&dialog);
        card->setProperty("card", "true");
        auto* row = new QHBoxLayout(card);
        row->setContentsMargins(12, 8, 8, 8);
        auto* text = sentence(
            QStringLiteral("%1\n%2").arg(
                e.name,
                QStringList{e.time, e.runs == 1 ? MainWindow::tr("1 run") : MainWindow::tr("%1 runs").arg(e.runs),
                            bytesText(std::size_t(e.bytes))}
                    .join(QStringLiteral(" · "))),
            card);
        auto* restore = new QPushButton(MainWindow::tr("Restore"), card);
        auto* discard = new QPushButton(MainWindow::tr("Discard"), card);
        row->addWidget(text, 1);
        row->addWidget(restore);
        row->addWidget(discard);
        box->addWidget(card);
        QObject::connect(restore, &QPushButton::clicked, &dialog, [&document, &dialog, e] {
            if (const Status s = document.restore(e); !s)
                emit document.problem(qstr(s.error().text), qstr(s.error().detail));
            else
                emit document.message(
                    MainWindow::tr("Restored %1, as it was at %2").arg(document.displayName(), e.time));
            dialog.accept();
        });
        QObject::connect(discard, &QPushButton::clicked, &dialog, [&document, &dialog, card, e] {
            document.discard(e);
            card->hide();
            if (document.recoverable().empty()) dialog.reject();
        });
    }
    auto* later = new QPushButton(MainWindow::tr("Later"), &dialog);
    later->setToolTip(MainWindow::tr("Keeps it; you are asked again at the next start."));
    QObject::connect(later, &QPushButton::clicked, &dialog, &QDialog::reject);
    box->addStretch();
    box->addWidget(later, 0, Qt::AlignRight);
    dialog.resize(520, 200);
    dialog.exec();
}

void showAbout(QWidget* parent, Document& document) {
    QString text =
        QStringLiteral("Meander %1\nQt %2\n%3")
            .arg(QStringLiteral(MEANDER_VERSION), QLatin1String(qVersion()), qstr(document.deviceDescription()));
    if (const std::string note = document.deviceNote(); !note.empty()) text += '\n' + qstr(note);
    QMessageBox box(QMessageBox::NoIcon, MainWindow::tr("About Meander"),
                    MainWindow::tr("A workbench for the sampling of diffusion, flow and consistency models."),
                    QMessageBox::Close, parent);
    box.setInformativeText(
        text
        + MainWindow::tr("\n\nApache-2.0. Fonts Inter and JetBrains Mono: SIL Open Font License 1.1. Qt: LGPL 3."));
    QPushButton* copy = box.addButton(MainWindow::tr("Copy"), QMessageBox::ActionRole);
    QObject::disconnect(copy, &QPushButton::clicked, nullptr, nullptr);
    QObject::connect(copy, &QPushButton::clicked, &box, [text] { QGuiApplication::clipboard()->setText(text); });
    box.exec();
}

}  // namespace meander::gui
