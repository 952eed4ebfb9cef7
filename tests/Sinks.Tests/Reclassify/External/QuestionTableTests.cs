using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.External;

namespace ConntrackStream.Sinks.Tests.Reclassify.External;

public sealed class QuestionTableTests
{
    /// <summary>Against a list that does the same the slow way.</summary>
    [Fact]
    public void It_is_a_bounded_list_in_order_of_asking()
    {
        QuestionTable table = new(8);
        List<(long Id, long At, FlowQuestion Question)> expected = [];
        Random random = new(4);
        for (int step = 0; step < 20_000; step++)
        {
            FlowQuestion question = HostStub.Question(random.Next(20));
            switch (random.Next(3))
            {
                case 0:
                    QuestionTable.Added added = table.TryAdd(question, step, out long id);
                    Assert.Equal(
                        expected.Exists(open => open.Question == question) ? QuestionTable.Added.WasOpen
                        : expected.Count == 8 ? QuestionTable.Added.NoRoom
                        : expected.Count == 0 ? QuestionTable.Added.AsOnly : QuestionTable.Added.AsNewest,
                        added);
                    if (id != 0)
                        expected.Add((id, step, question));
                    break;
                case 1:
                    long until = step - random.Next(30);
                    bool isDue = expected.Count > 0 && expected[0].At <= until;
                    Assert.Equal(isDue, table.TryTakeOldest(until, out FlowQuestion oldest));
                    Assert.Equal(isDue ? expected[0].Question : default, oldest);
                    if (isDue)
                        expected.RemoveAt(0);
                    break;
                default:
                    long wanted = expected.Count == 0 ? 1 : expected[random.Next(expected.Count)].Id;
                    Assert.Equal(expected.RemoveAll(open => open.Id == wanted) == 1, table.TryTake(wanted, out _));
                    break;
            }

            Assert.Equal(expected.Count, table.Count);
            Assert.Equal(expected.Count == 0 ? null : expected[0].At, table.OldestAskedAt);
        }
    }
}
