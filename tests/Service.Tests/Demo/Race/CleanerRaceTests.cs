using System.Text;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Demo.Race;

namespace ConntrackStream.Service.Tests.Demo.Race;

/// <summary><c>demo race</c>: its words and exit codes.</summary>
public sealed class CleanerRaceTests
{
    private static readonly RaceResult Snapshot = new()
    {
        Cleaner = "snapshot",
        Stale = 24,
        StaleRemoved = 24,
        Reused = 24,
        Live = 32,
        Cut = 3,
        CutWhileTracked = 3,
        Recovered = 2,
        Restored = 0,
        LongestAbsence = TimeSpan.Zero,
        Dropped = 12,
        Story = ["    0.000 ms  it was cut"],
    };

    private static readonly RaceResult Ours = Snapshot with
    {
        Cleaner = "ours",
        Cut = 0,
        CutWhileTracked = 0,
        Recovered = 0,
        Restored = 24,
        LongestAbsence = TimeSpan.FromMicroseconds(310),
        Dropped = 0,
        Story = null,
    };

    [Fact]
    public void The_table_is_aligned_and_followed_by_what_befell_one()
    {
        Assert.Equal("""
            cleaner   stale entries removed  tuples reused  live connections  cut  recovered  restored  packets dropped
            snapshot               24 of 24             24                32    3     2 of 3         0               12
            ours                   24 of 24             24                32    0     0 of 0        24                0
            cut: in 1 s a client received nothing of what its server had pushed; recovered: it came once the client itself had sent
            restored: ours asked the kernel again after each deletion, put 24 back; none was absent for more than 0.310 ms

            one connection that snapshot cut:
                0.000 ms  it was cut

            """, RaceReport.Text([Snapshot, Ours]));
    }

    [Fact]
    public void Programs_get_an_object_for_each_cleaner()
    {
        using MemoryStream output = new();
        RaceReport.WriteJson(output, Ours);
        Assert.Equal(
            """{"cleaner":"ours","stale":24,"stale_removed":24,"reused":24,"live":32,"cut":0,"cut_while_tracked":0,"""
                + """
                "recovered":0,"restored":24,"longest_absence_us":310,"packets_dropped":0}

                """,
            Encoding.UTF8.GetString(output.ToArray()));
    }

    [Fact]
    public void It_is_right_only_if_all_stale_entries_went_and_none_was_cut()
    {
        Assert.True(CleanerRace.IsRight(Ours));
        Assert.False(CleanerRace.IsRight(Snapshot));
        Assert.False(CleanerRace.IsRight(Ours with { StaleRemoved = 23 }));
    }

    [Theory]
    [InlineData(false, "right before its delete call")]
    [InlineData(true, "at random moments within 400 ms")]
    public void The_schedule_is_stated(bool isNatural, string words) =>
        Assert.Contains(words, RaceReport.Terms(new RaceOptions(IsNatural: isNatural)), StringComparison.Ordinal);

    [Fact]
    public void A_kernel_without_tcx_ends_with_4()
    {
        StringWriter error = new();
        CliContext context = new() { Output = new MemoryStream(), Error = error };
        Assert.Equal(4, FailureReport.Tell(TcxGate.Refusal(Errno.EINVAL), context));
        Assert.Contains("needs Linux 6.6", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--rounds", "0", "'0' is not a number from 1 to 20")]
    [InlineData("--connections", "501", "'501' is not a number from 2 to 500")]
    [InlineData("--seed", "-1", "'-1' is not a number from 0 to 2147483647")]
    public async Task Numbers_out_of_range_are_wrong_usage(string option, string value, string words)
    {
        StringWriter error = new();
        CliContext context = new() { Output = new MemoryStream(), Error = error };
        Assert.Equal(2, await new CommandLine(context).RunAsync(["demo", "race", option, value], TestContext.Current.CancellationToken));
        Assert.Contains($"{option}: {words}", error.ToString(), StringComparison.Ordinal);
    }
}
