namespace ConntrackStream.Kernel.Tests.Conntrack;

/// <summary>Where our command does something else than conntrack 1.4.7, as docs/conntrack.md says: the tool's way is a fault.</summary>
public sealed class OnPurposeTests : IDisposable
{
    private readonly CommandRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public void An_update_reaches_entries_of_any_zone_and_family_by_themselves()
    {
        _rig.Do(
            "-I -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 1 --dport 2 -t 500",
            "-I -w 7 -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 1 --dport 2 -t 500 -m 3",
            "-I -s fd00::1 -d fd00::2 -p udp --sport 1 --dport 2 -t 500");
        (int code, string output, string error) = _rig.Run(["-U", "-p", "udp", "-m", "9"]);
        Assert.Equal((0, "conntrack v1.4.7 (conntrack-tools): 3 flow entries have been updated.\n"), (code, error));
        Assert.Equal(3, output.Split("mark=9 ").Length - 1);
        Assert.Contains("mark=9 zone=7", output, StringComparison.Ordinal);
        Assert.Equal(3, _rig.Table().Split("mark=9 ").Length - 1);
    }

    [Fact]
    public void An_update_selects_by_translation_without_setting_it()
    {
        _rig.Do(
            "-I -s 1.1.1.9 -d 2.2.2.2 -p udp --sport 1 --dport 2 -t 500 -n 9.9.9.9",
            "-I -s 1.1.1.8 -d 2.2.2.2 -p udp --sport 1 --dport 2 -t 500 -n 9.9.9.8");
        Assert.Equal(0, _rig.Run(["-U", "-n", "9.9.9.9", "-m", "8"]).ExitCode);
        Assert.Contains("dst=9.9.9.9 sport=2 dport=1 mark=8", _rig.Table(), StringComparison.Ordinal);
        Assert.Contains("dst=9.9.9.8 sport=2 dport=1 mark=0", _rig.Table(), StringComparison.Ordinal);
    }

    /// <summary>For the tool the status' bits become the mark (tmpl->mark.value), in every command.</summary>
    [Fact]
    public void A_status_behind_a_mark_leaves_it_alone()
    {
        _rig.Do("-I -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 1 --dport 2 -t 500 -m 5 -u ASSURED");
        Assert.Contains("[ASSURED] mark=5 ", _rig.Run(["-L", "-m", "5", "-u", "ASSURED"]).Output, StringComparison.Ordinal);
        Assert.Equal(0, _rig.Run(["-U", "-p", "udp", "-m", "9", "-u", "SEEN_REPLY"]).ExitCode);
        Assert.Contains("[ASSURED] mark=9 ", _rig.Run(["-D", "-m", "9", "-u", "ASSURED"]).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void What_an_update_cannot_change_fails()
    {
        _rig.Do("-I -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 1 --dport 2 -t 500");
        (int code, string output, string error) = _rig.Run(["-U", "-s", "1.1.1.1", "-u", "EXPECTED"]);
        Assert.Equal((1, ""), (code, output));
        Assert.Equal("conntrack v1.4.7 (conntrack-tools): Operation failed: Device or resource busy\n", error);
    }

    [Theory]
    [InlineData("-p gre --srckey 1", "srckey=0x1 ")] // the tool does not look at keys
    [InlineData("-n fd00::99", "dst=fd00::99 ")] // nor at translated IPv6 addresses
    [InlineData("-u !ASSURED -p udp", "sport=7 ")] // and deletes those that are assured, too
    public void A_deletion_keeps_to_what_is_asked(string filter, string deleted)
    {
        _rig.Do(
            "-I -s 1.1.1.1 -d 2.2.2.2 -p gre --srckey 1 --dstkey 2 -t 500", "-I -s 1.1.1.1 -d 2.2.2.2 -p gre --srckey 3 --dstkey 4 -t 500",
            "-I -s fd00::1 -d fd00::2 -p tcp --sport 1 --dport 2 --state ESTABLISHED -t 500 -n fd00::99",
            "-I -s fd00::3 -d fd00::2 -p tcp --sport 1 --dport 2 --state ESTABLISHED -t 500 -n fd00::98",
            "-I -s 1.1.1.1 -d 2.2.2.2 -p tcp --sport 1 --dport 2 --state ESTABLISHED -t 500 -n 9.9.9.9",
            "-I -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 5 --dport 2 -t 500 -u ASSURED,SEEN_REPLY",
            "-I -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 7 --dport 2 -t 500 -u SEEN_REPLY");
        (int code, string output, _) = _rig.Run(["-D", .. filter.Split(' ')]);
        Assert.Equal(0, code);
        string line = Assert.Single(output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(deleted, line, StringComparison.Ordinal);
        Assert.DoesNotContain(deleted, _rig.Table(), StringComparison.Ordinal);
        Assert.Equal(6, _rig.Table().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public void Any_translation_to_an_address_goes_with_other_filters()
    {
        _rig.Do(
            "-I -s 1.1.1.1 -d 2.2.2.2 -p tcp --sport 1 --dport 2 --state ESTABLISHED -t 500 -n 9.9.9.9",
            "-I -s 1.1.1.1 -d 2.2.2.3 -p tcp --sport 1 --dport 2 --state ESTABLISHED -t 500 -n 9.9.9.8");
        string output = _rig.Run(["-L", "-p", "tcp", "-j", "9.9.9.9"]).Output; // the tool finds nothing
        Assert.Contains("dst=9.9.9.9 ", Assert.Single(output.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-L -p sctp --state FOO", "unknown SCTP state `FOO'")] // here the tool crashes
    [InlineData("-L --id", "Illegal option `--id' with this command")]
    public void What_crashes_the_tool_is_wrong_usage(string line, string fault)
    {
        (int code, _, string error) = _rig.Run(line.Split(' '));
        Assert.Equal(2, code);
        Assert.StartsWith($"conntrack v1.4.7 (conntrack-tools): {fault}\n", error, StringComparison.Ordinal);
    }
}
