using ConntrackStream.EventTap.Conntrack;

namespace ConntrackStream.EventTap.Tests.Conntrack;

public class ConntrackCpuStatsTests
{
    private const string Some = """
        08 00 02 00  00 00 00 01 // CTA_STATS_FOUND
        08 00 09 00  00 00 00 02 // CTA_STATS_INSERT_FAILED
        08 00 0a 00  00 00 00 03 // CTA_STATS_DROP
        08 00 0b 00  00 00 00 04 // CTA_STATS_EARLY_DROP
        08 00 0e 00  00 00 00 05 // CTA_STATS_CLASH_RESOLVE
        08 00 0f 00  00 00 00 06 // CTA_STATS_CHAIN_TOOLONG
        08 00 63 00  00 00 00 07 // not known

        """;

    [Fact]
    public void Reads_what_is_there_and_leaves_the_rest_unknown()
    {
        byte[] message = Hex.Message(Some, type: 0x0104, family: 0);
        message[19] = 3; // nfgenmsg.res_id: the CPU, __be16
        Assert.True(ConntrackCpuStats.TryRead(message, out ConntrackCpuStats stats));
        Assert.Equal(3, stats.Cpu);
        Assert.Equal(
            (1u, 2u, 3u, 4u, 5u, 6u),
            (stats.Found, stats.InsertFailed, stats.Drop, stats.EarlyDrop, stats.ClashResolve, stats.ChainTooLong));
        Assert.Null(stats.Searched);
        Assert.Null(stats.Insert);
    }

    [Theory]
    [InlineData("06 00 0a 00 00 01 00 00")] // CTA_STATS_DROP of 2 bytes
    [InlineData("0c 00 0a 00 00 00 00 01")] // beyond the message
    public void Refuses_bad_lengths(string attribute) => Assert.False(ConntrackCpuStats.TryRead(Hex.Message(Some + attribute), out _));

    [Fact]
    public void Refuses_a_message_without_its_header() => Assert.False(ConntrackCpuStats.TryRead(new byte[19], out _));
}
