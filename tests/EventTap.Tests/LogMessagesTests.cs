namespace ConntrackStream.EventTap.Tests;

public sealed class LogMessagesTests
{
    [Fact]
    public void Every_message_reads_as_expected() =>
        LogMessages.AssertAsExpected(typeof(ConntrackStream.EventTap.ConntrackTap).Assembly, typeof(LogMessagesTests).Assembly);
}
