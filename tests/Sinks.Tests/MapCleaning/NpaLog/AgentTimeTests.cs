using System.Globalization;
using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.NpaLog;

namespace ConntrackStream.Sinks.Tests.MapCleaning.NpaLog;

public sealed class AgentTimeTests
{
    [Theory]
    [InlineData("2024-04-10T20:38:06.940Z", "2024-04-10T20:38:06.940Z", 1_000_000)] // zap's ISO8601TimeEncoder
    [InlineData("2024-04-10T22:38:06.940+0200", "2024-04-10T20:38:06.940Z", 1_000_000)] // the same, in another zone
    [InlineData("2024-04-10T15:08:06.940-05:30", "2024-04-10T20:38:06.940Z", 1_000_000)]
    [InlineData("2024-12-04 20:00:00", "2024-12-04T20:00:00Z", 1_000_000_000)]
    [InlineData("2024-12-04 20:00:00,25", "2024-12-04T20:00:00.25Z", 10_000_000)]
    [InlineData("2024-12-04T20:00:00.123456789Z", "2024-12-04T20:00:00.1234567Z", 1)] // kubectl --timestamps
    [InlineData("2024-12-04T20:00:00.1234567899Z", "2024-12-04T20:00:00.1234567Z", 1)]
    public void The_forms_of_time_are_read(string text, string expected, long resolution)
    {
        Assert.True(AgentTime.TryParse(Encoding.UTF8.GetBytes(text), out AgentTime time, out int length));
        Assert.Equal(text.Length, length);
        long ticks = DateTimeOffset.Parse(expected, CultureInfo.InvariantCulture).ToUnixTimeNanoseconds();
        Assert.Equal(ticks, time.From - (time.From % 100));
        Assert.Equal(resolution, time.Resolution);
    }

    [Theory]
    [InlineData("")]
    [InlineData("2024-12-04")]
    [InlineData("2024-13-04 20:00:00")]
    [InlineData("2023-02-29 20:00:00")]
    [InlineData("2024-12-00 20:00:00")]
    [InlineData("2024-12-04 24:00:00")]
    [InlineData("2024-12-04 20:60:00")]
    [InlineData("1969-12-04 20:00:00")]
    [InlineData("9999-12-04 20:00:00")]
    [InlineData("2024-12-04 20:00:00+1")]
    [InlineData("2024/12/04 20:00:00")]
    public void What_is_no_time_is_refused(string text) => Assert.False(AgentTime.TryParse(Encoding.UTF8.GetBytes(text), out _, out _));

    [Fact]
    public void Epoch_seconds_are_read()
    {
        Assert.Equal(1_701_382_206_128_000_000, AgentTime.FromEpoch(1701382206.128)!.Value.From);
        Assert.Null(AgentTime.FromEpoch(-1));
        Assert.Null(AgentTime.FromEpoch(1e30));
    }
}
