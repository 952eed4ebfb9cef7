namespace ConntrackStream.Sinks.Tests;

public sealed class LogMessagesTests
{
    [Fact]
    public void Every_message_reads_as_expected() =>
        LogMessages.AssertAsExpected(typeof(ConntrackStream.Sinks.FlowLog.FlowLogSink).Assembly, typeof(LogMessagesTests).Assembly);
}
