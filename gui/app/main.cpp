// The desktop program. The command line is read before Qt needs a display, so --version works everywhere.
#include <QApplication>
#include <QIcon>
#include <QTimer>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "engine/core/idle_threads.h"
#include "gui/app/main_window.h"
#include "gui/app/measure.h"
#include "gui/document/settings.h"
#include "gui/look/theme.h"
#include "gui/panels/log/log_model.h"
#include "meander_version.h"

namespace {

struct Options {
    std::string screenshot, project, theme, size, problem;
    bool isHelp = false, isVersion = false, isMeasuring = false;
};

const char* const help =
    "Meander, a workbench for the sampling of diffusion, flow and consistency models\n"
    "\n"
    "usage: meander [options] [FILE]\n"
    "  FILE                project (.meander), recipe (.json), image with a recipe (.png) or model\n"
    "  --project FILE      the same\n"
    "  --theme dark|light  for this start\n"
    "  --size WxH          of the window\n"
    "  --screenshot FILE   writes a PNG of the window once the project is loaded, and ends\n"
    "  --measure           runs the draft of the project (of the sample without FILE) and prints the time to the\n"
    "                      first image of the window and how long its thread was blocked; then ends\n"
    "  --platform NAME     Qt platform; \"offscreen\" needs no display\n"
    "  --version, --help\n"
    "\n"
    "Without a window: meander-run --help\n";

Options read(int argc, char** argv) {
    Options o;
    for (int i = 1; i < argc; ++i) {
        const std::string a = argv[i];
        const auto value = [&](std::string& into) {
            if (i + 1 < argc) into = argv[++i];
            else o.problem = "The option " + a + " needs a value.";
        };
        if (a == "--help" || a == "-h") o.isHelp = true;
        else if (a == "--version") o.isVersion = true;
        else if (a == "--measure") o.isMeasuring = true;
        else if (a == "--screenshot") value(o.screenshot);
        else if (a == "--theme") value(o.theme);
        else if (a == "--size") value(o.size);
        else if (a == "--project") value(o.project);
        else if (a == "--platform" || a == "-platform" || a == "-style" || a == "-qwindowgeometry") ++i;  // Qt's own
        else if (a.size() > 1 && a[0] == '-') o.problem = "There is no option " + a + ". See meander --help.";
        else o.project = a;
    }
    return o;
}

// Qt aborts when it finds no display; a sentence is better.
bool hasDisplay(int argc, char** argv) {
#if defined(Q_OS_LINUX)
    for (int i = 1; i < argc; ++i)
        if (!std::strcmp(argv[i], "--platform") || !std::strcmp(argv[i], "-platform")) return true;
    for (const char* name : {"QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"})
        if (qEnvironmentVariableIsSet(name)) return true;
    return false;
#else
    (void)argc, (void)argv;
    return true;
#endif
}

}  // namespace

int main(int argc, char** argv) {
    using namespace meander::gui;
    meander::letIdleThreadsSleep(argv);
    const Options options = read(argc, argv);
    if (options.isVersion) return std::puts("meander " MEANDER_VERSION), 0;
    if (options.isHelp) return std::fputs(help, stdout), 0;
    if (!options.problem.empty()) return std::fprintf(stderr, "%s\n", options.problem.c_str()), 2;
    int width = 0, height = 0;
    if (!options.size.empty()
        && (std::sscanf(options.size.c_str(), "%dx%d", &width, &height) != 2 || width < 400 || height < 300
            || width > 16384 || height > 16384))
        return std::fputs("The size must be written like 1600x1000 and be at least 400x300.\n", stderr), 2;
    if (!options.theme.empty() && options.theme != "dark" && options.theme != "light")
        return std::fputs("The theme is dark or light.\n", stderr), 2;
    if (!hasDisplay(argc, argv)) {
        std::fputs("Meander needs a display, and there is none (DISPLAY and WAYLAND_DISPLAY are not set).\n"
                   "Use meander-run on this machine, or \"meander --platform offscreen --screenshot FILE\".\n",
                   stderr);
        return 1;
    }
    // Qt knows its own option with one dash.
    for (int i = 1; i < argc; ++i)
        if (!std::strcmp(argv[i], "--platform")) ++argv[i];
    // An image for a page, or a measurement, shows the defaults and not somebody's settings, and leaves the file as it
    // is.
    const bool isForOthers = options.isMeasuring || !options.screenshot.empty();
    std::unique_ptr<QApplication> app(options.isMeasuring ? new MeasuringApplication(argc, argv)
                                                          : new QApplication(argc, argv));
    QApplication::setOrganizationName("Meander");
    QApplication::setApplicationName(isForOthers ? "Meander screenshot" : "Meander");
    QApplication::setApplicationVersion(MEANDER_VERSION);
    QApplication::setDesktopFileName("meander");
    installLog();
    loadFonts();
    QApplication::setWindowIcon(QIcon(":/icons/meander.svg"));
    const ThemeChoice choice = options.theme == "light"  ? ThemeChoice::Light
                               : options.theme == "dark" ? ThemeChoice::Dark
                                                         : settings::themeChoice();
    applyTheme(choice, settings::fontScale());
    MainWindow window;
    if (width > 0) window.resize(width, height);
    else if (isForOthers) window.resize(MainWindow::usualSize);
    if (isForOthers) {  // nobody is there to answer
        window.userPrompts().recover = [](Document&) {};
        window.userPrompts().useRecipe = [](const auto&...) { return true; };
    }
    if (options.isMeasuring) window.watchdog().start();
    // After the first paint, which must not wait for models.
    afterFirstPaint(&window, [&window, &options, &app, isForOthers] {
        const double firstPaint = millisecondsSinceStart();
        window.begin(QString::fromStdString(options.project), isForOthers);
        if (options.isMeasuring) {
            measureAndQuit(window, static_cast<MeasuringApplication&>(*app), firstPaint);
        } else if (!options.screenshot.empty()) {
            whenSettled(window, [&window, &options] {
                const bool isWritten = window.grab().save(QString::fromStdString(options.screenshot), "PNG");
                if (!isWritten) std::fprintf(stderr, "Cannot write '%s'.\n", options.screenshot.c_str());
                QApplication::exit(isWritten ? 0 : 1);
            });
        }
    });
    window.show();
    return QApplication::exec();
}
