// Strided views: slices, columns, transposed and reshaped views name the elements that a plain walk finds, and what
// cannot be is refused.
#include <QTest>
#include <numeric>
#include <stdexcept>

#include "kernels/api/row_offsets.h"

using namespace meander::kernels;

class ViewTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { std::iota(m_data.begin(), m_data.end(), 0.0f); }

    void denseViewsAreDense() {
        for (const Shape& s :
             {Shape{}, Shape{5}, Shape{2, 3, 4}, Shape{1, 1, 7}, Shape{0, 3}, Shape{2, 3, 4, 1, 5, 1}}) {
            QVERIFY2(view(s).isDense() && view(s).hasDenseRows(), s.text().c_str());
            QCOMPARE(view(s).rowStride().value_or(-1), s.rank() == 0 ? 1 : s[-1]);
        }
    }

    void sliceNamesItsElements() {
        const View v = view({3, 4, 5});
        QCOMPARE(elements(v.rows(1, 2)), elements(v).mid(20, 40));
        QCOMPARE(elements(v.columns(3, 2).rows(2, 1)), (QList<float>{43, 44, 48, 49, 53, 54, 58, 59}));
        QCOMPARE(elements(v.slice(1, 2, 1).rows(0, 1)), (QList<float>{10, 11, 12, 13, 14}));
        QCOMPARE(elements(v.slice(-2, 2, 1)), elements(v.slice(1, 2, 1)));
        QCOMPARE(v.columns(0, 0).count(), 0);
    }

    void denseOrNot() {
        const View v = view({3, 4, 5});
        QVERIFY(v.rows(1, 2).isDense() && v.columns(0, 5).isDense());
        QVERIFY(!v.columns(1, 3).isDense() && v.columns(1, 3).hasDenseRows());
        QCOMPARE(v.columns(1, 3).rowStride().value_or(-1), 5);
        QVERIFY(!v.slice(1, 0, 2).rowStride() && v.slice(1, 0, 2).hasDenseRows());  // gaps between images only
        QVERIFY(v.slice(1, 0, 2).rows(1, 1).isDense());
        QVERIFY(!v.transposed(0, 2).hasDenseRows());
        QVERIFY(v.transposed(0, 1).hasDenseRows() && !v.transposed(0, 1).isDense());
        QVERIFY(view({3, 1, 5}).transposed(0, 1).isDense());  // extents of 1 move nothing
    }

    void transposedNamesItsElements() {
        const View v = view({2, 3});
        QCOMPARE(elements(v.transposed(0, 1)), (QList<float>{0, 3, 1, 4, 2, 5}));
        QCOMPARE(elements(v.transposed(0, -1).transposed(1, 0)), elements(v));
    }

    // Any reshape that is allowed keeps the order of elements.
    void reshapedKeepsTheOrder() {
        const View v = view({2, 3, 24}), columns = v.columns(4, 12);
        for (const Shape& s :
             {Shape{6, 12}, Shape{2, 3, 3, 4}, Shape{6, 2, 6}, Shape{2, 1, 3, 12, 1}, Shape{3, 2, 2, 6}})
            QCOMPARE(elements(columns.reshaped(s)), elements(columns));
        QCOMPARE(columns.reshaped({6, 12}).rowStride().value_or(-1), 24);
        QCOMPARE(elements(v.reshaped({144})), elements(v));
        QCOMPARE(elements(v.transposed(0, 1).reshaped({3, 2, 4, 6})), elements(v.transposed(0, 1)));
    }

    void rowOffsetsFindEveryRow() {
        const View v = view({2, 3, 4, 5});
        for (const View& w : {v, v.columns(1, 3), v.transposed(0, 1), v.slice(1, 1, 2),
                              v.slice(2, 1, 2).transposed(0, 2), v.rows(1, 1), v.transposed(0, 2).columns(2, 2)}) {
            const RowOffsets offsets(w);
            const QList<float> all = elements(w);
            const std::int64_t n = w.shape[-1];
            for (std::int64_t row = 0; row < w.count() / n; ++row) QCOMPARE(w.as<float>()[offsets(row)], all[row * n]);
        }
    }

    void refuses_data() {
        QTest::addColumn<int>("attempt");
        QTest::newRow("slice beyond the end") << 0;
        QTest::newRow("negative first entry") << 1;
        QTest::newRow("dimension that is not there") << 2;
        QTest::newRow("reshape to another count") << 3;
        QTest::newRow("reshape over gaps") << 4;
        QTest::newRow("reshape of a transposed view") << 5;
        QTest::newRow("seven extents") << 6;
        QTest::newRow("columns of rank 0") << 7;
    }
    void refuses() {
        QFETCH(int, attempt);
        const View v = view({2, 3, 4});
        const auto make = [&]() -> View {
            switch (attempt) {
            case 0: return v.columns(2, 3);
            case 1: return v.rows(-1, 1);
            case 2: return v.slice(3, 0, 1);
            case 3: return v.reshaped({5, 5});
            case 4: return v.columns(0, 2).reshaped({12});
            case 5: return v.transposed(0, 2).reshaped({24});
            case 6: return v.reshaped({1, 1, 1, 1, 2, 3, 4});
            default: return view({}).columns(0, 1);
            }
        };
        QVERIFY_THROWS_EXCEPTION(std::invalid_argument, make());
    }

private:
    View view(const Shape& s) { return {m_data.data(), DType::F32, s}; }

    // By the plainest walk: indices to an offset through the strides.
    static QList<float> elements(const View& v) {
        QList<float> list;
        for (std::int64_t i = 0; i < v.count(); ++i) {
            std::int64_t rest = i, offset = 0;
            for (int d = v.shape.rank() - 1; d >= 0; --d) {
                offset += rest % v.shape[d] * v.stride(d);
                rest /= v.shape[d];
            }
            list.append(v.as<float>()[offset]);
        }
        return list;
    }

    std::vector<float> m_data = std::vector<float>(240);
};

QTEST_GUILESS_MAIN(ViewTest)
#include "tst_view.moc"
