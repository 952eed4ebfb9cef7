using System.Reflection;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline.Tests;

public sealed class LogMessagesTests
{
    [Fact]
    public void Every_message_reads_as_expected() =>
        LogMessages.AssertAsExpected(typeof(FlowPipeline).Assembly, typeof(LogMessagesTests).Assembly);

    /// <summary>The rule of the above is one that can be broken.</summary>
    [Fact]
    public void Records_and_nulls_are_not_readable()
    {
        ParameterInfo[] parameters = typeof(LogMessagesTests)
            .GetMethod(nameof(Takes), BindingFlags.Static | BindingFlags.NonPublic)!.GetParameters();
        Assert.Equal([false, false, false, true, true], parameters.Select(LogMessages.IsReadable));
    }

    [Theory]
    [InlineData("1 Warning File <file> is not used", true)]
    [InlineData("1 Warning 12 more lines were left out", true)]
    [InlineData("1 Warning file <file> is not used", false)]
    [InlineData("1 Warning <file> is not used", false)]
    [InlineData("1 Warning ", false)]
    public void A_message_begins_with_a_capital_or_a_number(string line, bool does) =>
        Assert.Equal(does, LogMessages.BeginsAsSentence(line));

    [Fact]
    public void A_flow_id_prints_as_in_the_flow_log()
    {
        FlowId id = new(0x123456789ABCDEF, 0x1122334455667788);
        Assert.Equal("12345678-9abc-8def-9122-334455667788", $"{id}");
    }

    private static void Takes(FlowId record, long? number, string? text, long plain, string given) =>
        _ = (record, number, text, plain, given);
}
