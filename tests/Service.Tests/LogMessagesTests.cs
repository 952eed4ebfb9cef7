namespace ConntrackStream.Service.Tests;

public sealed class LogMessagesTests
{
    [Fact]
    public void Every_message_reads_as_expected() =>
        LogMessages.AssertAsExpected(typeof(ConntrackStream.Service.Hosting.StreamService).Assembly, typeof(LogMessagesTests).Assembly);
}
