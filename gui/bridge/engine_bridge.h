// The only user of the engine thread. Requests go down at once; events come up once per frame, in one signal, on the
// GUI thread. The recorder is called on the engine thread for every event; nothing is skipped there. The window may
// skip previews, never records: entries of the record that arrived since the last frame come complete in `fresh`.
#pragma once
#include <QElapsedTimer>
#include <QObject>
#include <QTimer>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "engine/run/engine.h"

namespace meander::gui {

struct FreshRecords {
    std::vector<std::shared_ptr<const Evaluation>> evaluations;
    std::vector<std::shared_ptr<const Step>> steps;
};

struct Arrival {
    std::vector<RunEvent> events;  // in order; of Evaluated and Stepped only the newest per run
    std::map<std::string, FreshRecords> fresh;
};

class EngineBridge : public QObject {
    Q_OBJECT
public:
    using Recorder = std::function<void(const RunEvent&)>;
    explicit EngineBridge(QObject* parent = nullptr);
    ~EngineBridge() override;

    // Starts the engine thread; later calls do nothing.
    void start(EngineOptions options = {});
    bool isStarted() const { return m_engine != nullptr; }
    // May be replaced while no run is waiting or running.
    void setRecorder(Recorder recorder);

    Engine* engine() const { return m_engine.get(); }

signals:
    void arrived(const meander::gui::Arrival& arrival);

private:
    void record(const RunEvent& e);  // engine thread
    void wake();
    void drain();

    std::mutex m_recorderMutex;  // held while the recorder works; the GUI thread takes it only to replace the recorder
    Recorder m_recorder;
    std::mutex m_freshMutex;  // held for moments
    std::map<std::string, FreshRecords> m_fresh;
    Mailbox m_mailbox;
    QTimer m_frame;
    QElapsedTimer m_sinceDrain;
    std::unique_ptr<Engine> m_engine;  // last: destroyed first, while the mailbox still lives
};

}  // namespace meander::gui
