using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Output;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Service.Tests.Cli;

public sealed class FailureReportTests
{
    [Theory]
    [InlineData("joining group", Errno.EPERM, 3, "CAP_NET_ADMIN")]
    [InlineData("dumping the conntrack table", Errno.EACCES, 3, "CAP_NET_ADMIN")]
    [InlineData("entering network namespace 'x'", Errno.EPERM, 3, "CAP_SYS_ADMIN", NetlinkStep.EnteringNamespace)]
    [InlineData("opening a netlink socket", Errno.EPROTONOSUPPORT, 4, "CONFIG_NETFILTER_NETLINK")]
    [InlineData("opening a netlink socket", Errno.EAFNOSUPPORT, 4, "CONFIG_NETFILTER_NETLINK")]
    [InlineData("reading the size of the conntrack table", Errno.EINVAL, 4, "nf_conntrack_netlink", NetlinkStep.CountingEntries)]
    [InlineData("dumping the conntrack table", Errno.ENOMEM, 1, "ENOMEM")]
    public void Errno_and_step_decide_the_exit_code_and_the_advice(
        string operation, Errno errno, int code, string advice, NetlinkStep step = NetlinkStep.Other)
    {
        (int told, string error) = Tell(new NetlinkException(operation, errno) { Step = step });
        Assert.Equal(code, told);
        Assert.Contains(operation, error, StringComparison.Ordinal);
        Assert.Contains(advice, error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_capability_that_the_failure_itself_names_is_said_once()
    {
        (int code, string error) = Tell(new NetlinkException("joining a group", Errno.EPERM, "this needs CAP_NET_ADMIN"));
        Assert.Equal(3, code);
        Assert.Equal(
            "conntrack-stream: joining a group: EPERM (Operation not permitted): "
            + "run it as root, or give it CAP_NET_ADMIN in that network namespace\n",
            error);
    }

    [Theory]
    [InlineData(Errno.EPERM, 3)]
    [InlineData(Errno.EACCES, 3)]
    [InlineData(Errno.ENOSYS, 4)]
    [InlineData(Errno.ENOENT, 1)]
    [InlineData(Errno.None, 1)]
    public void A_map_brings_its_own_advice(Errno errno, int code)
    {
        (int told, string error) = Tell(new FlowMapException("opening the map pinned at /x", errno, "do this"));
        Assert.Equal(code, told);
        Assert.StartsWith("conntrack-stream: opening the map pinned at /x: ", error, StringComparison.Ordinal);
        Assert.EndsWith(": do this\n", error, StringComparison.Ordinal);
        Assert.DoesNotContain("CAP_NET_ADMIN", error, StringComparison.Ordinal);
    }

    /// <summary>systemd starts the service again after 1, and not after 2 and 3.</summary>
    [Theory]
    [InlineData(Errno.ENOENT, 2)]
    [InlineData(Errno.None, 2)] // a kind of file that is refused
    [InlineData((Errno)20, 2)] // ENOTDIR
    [InlineData((Errno)30, 2)] // EROFS
    [InlineData(Errno.EACCES, 3)]
    [InlineData(Errno.EAGAIN, 1)] // another process has it, and may end
    [InlineData(Errno.ENOSPC, 1)]
    public void A_log_that_cannot_be_opened_ends_a_start_for_good_only_where_trying_again_cannot_help(Errno errno, int code) =>
        Assert.Equal(code, Tell(new FlowLogFileException("/x/y", errno, "so it is")).Code);

    [Fact]
    public void A_directory_of_the_configuration_that_is_refused_is_a_fault_of_that() =>
        Assert.Equal((2, "conntrack-stream: configuration: State:Directory: no\n"), Tell(new SettingFaultException("State:Directory: no")));

    [Fact]
    public void A_reader_that_left_is_no_failure() => Assert.Equal((0, ""), Tell(new BrokenPipeException()));

    [Fact]
    public void What_failed_on_one_of_several_processors_is_what_failed()
    {
        Assert.Equal((0, ""), Tell(new AggregateException(new BrokenPipeException())));
        Assert.Equal((1, "conntrack-stream: no room\n"), Tell(new AggregateException(new IOException("no room"), new IOException("x"))));
    }

    [Fact]
    public void A_full_disk_is() => Assert.Equal(1, Tell(new IOException("No space left on device")).Code);

    [Fact]
    public void What_nobody_expected_is_shown_whole()
    {
        (int code, string error) = Tell(new InvalidOperationException("oops"));
        Assert.Equal(1, code);
        Assert.Contains(nameof(InvalidOperationException), error, StringComparison.Ordinal);
    }

    private static (int Code, string Error) Tell(Exception e)
    {
        StringWriter error = new();
        return (FailureReport.Tell(e, new CliContext { Output = Stream.Null, Error = error }), error.ToString());
    }
}
