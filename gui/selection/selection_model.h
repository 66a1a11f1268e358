// One selection, many views: the step, token, run and region under the cursor. Views set it and subscribe to it; they
// never talk to each other. Precedence of the step cursor: locked (clicked) > hover > live.
#pragma once
#include <QObject>
#include <QPointF>
#include <QSet>
#include <QString>
#include <optional>
#include <utility>

namespace meander::gui {

struct StepCursor {
    QString run;
    int evaluation = 0;  // index of the evaluation in its trajectory; −1: the finished image / last state
    double logSnr = 0;   // the level, for linking runs of other lengths by the nearest log-SNR
    bool isCorrector =
        false;  // not the first evaluation of its step; it stands at the level of the next step's first one
    bool operator==(const StepCursor&) const = default;
};

// Steps brushed on a step axis, first and last included; what averages over steps takes all of them. The levels link
// them to runs of other lengths.
struct StepRange {
    QString run;
    int first = 0, last = 0;
    double lowLogSnr = 0, highLogSnr = 0;  // of the first evaluations of those two steps
    bool operator==(const StepRange&) const = default;
};

// How an attention map is normalised before it is shown; printed in every caption.
enum class AttentionShare {
    PromptTokens,
    AllTokens
};  // ÷ the sum over the words of the prompt; raw softmax over all tokens

// What the horizontal axis of every plot over a run shows.
enum class StepAxis { Step, Sigma, LogSnr, Evaluations, Milliseconds };

class SelectionModel : public QObject {
    Q_OBJECT
public:
    using QObject::QObject;

    QString currentRun() const { return m_run; }
    QString comparedRun() const { return m_compared; }  // empty: not comparing
    // What views show: hover if there is one, else the locked cursor.
    StepCursor cursor() const { return m_hover ? *m_hover : m_locked; }
    StepCursor lockedCursor() const { return m_locked; }
    bool isHovering() const { return m_hover.has_value(); }
    bool followsLive() const { return m_live; }
    std::optional<StepRange> stepRange() const { return m_range; }
    int image() const { return m_image; }                     // which image of the run
    QSet<int> words() const { return m_words; }               // selected chips (Token::word)
    std::optional<QPointF> pixel() const { return m_pixel; }  // in [0,1]² of the image, for the inverse query
    int attentionSite() const { return m_site; }              // −1: mean over layers
    int attentionHead() const { return m_head; }              // −1: mean over heads
    StepAxis axis() const { return m_axis; }
    AttentionShare attentionShare() const { return m_share; }

public slots:
    void setCurrentRun(const QString& run);
    void setComparedRun(const QString& run);
    void lockStep(const meander::gui::StepCursor& c);
    void hoverStep(const meander::gui::StepCursor& c);
    void clearHover();
    void setFollowsLive(bool on);
    void setStepRange(std::optional<meander::gui::StepRange> range);
    void setImage(int index);
    void setWords(const QSet<int>& words);
    void toggleWord(int word, bool extend);
    void setPixel(std::optional<QPointF> p);
    void setAttentionSite(int site);
    void setAttentionHead(int head);
    void setAxis(meander::gui::StepAxis axis);
    void setAttentionShare(meander::gui::AttentionShare share) {
        if (std::exchange(m_share, share) != share) emit attentionChanged();
    }

signals:
    // Emitted when the value really changed. Views answer with update(), so that many signals cost one repaint.
    void runChanged();
    void cursorChanged();
    void rangeChanged();
    void imageChanged();
    void wordsChanged();
    void pixelChanged();
    void attentionChanged();
    void liveChanged();
    void axisChanged();

private:
    QString m_run, m_compared;
    StepCursor m_locked;
    std::optional<StepCursor> m_hover;
    std::optional<StepRange> m_range;
    bool m_live = true;
    int m_image = 0, m_site = -1, m_head = -1;
    AttentionShare m_share = AttentionShare::PromptTokens;
    StepAxis m_axis = StepAxis::Step;
    QSet<int> m_words;
    std::optional<QPointF> m_pixel;
};

}  // namespace meander::gui
