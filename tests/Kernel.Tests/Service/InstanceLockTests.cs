using System.Net.Sockets;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Service.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Kernel.Tests.Service;

public sealed class InstanceLockTests : IDisposable
{
    private readonly KernelNamespace _space = new(track: false);
    private readonly NetworkNamespace _namespace;

    public InstanceLockTests() => _namespace = NetworkNamespace.OpenName(_space.Name);

    public void Dispose()
    {
        _namespace.Dispose();
        _space.Dispose();
    }

    [Fact]
    public async Task A_namespace_has_one_instance_and_another_namespace_its_own()
    {
        using KernelNamespace other = new(track: false);
        using NetworkNamespace otherNamespace = NetworkNamespace.OpenName(other.Name);
        _space.Sysctl("net.core.somaxconn", "1"); // room for two who ask
        using (await TakeAsync(_namespace))
        {
            for (int i = 0; i < 5; i++) // asking takes no room from those who ask later
            {
                IOException refused = await Assert.ThrowsAsync<IOException>(() => TakeAsync(_namespace));
                Assert.Equal(
                    $"another conntrack-stream serves this network namespace already (process {Environment.ProcessId})", refused.Message);
            }

            (await TakeAsync(otherNamespace))!.Dispose();
        }

        (await TakeAsync(_namespace))!.Dispose();
    }

    /// <summary>Or any user could keep the service from starting.</summary>
    [Fact]
    public async Task A_stranger_with_the_name_is_no_instance()
    {
        Requirements.Tool("perl");
        const string Squat = "socket(S, AF_UNIX, SOCK_STREAM, 0); bind(S, pack_sockaddr_un(qq(\\0" + InstanceLock.Name
            + "))) or die; listen(S, 5); sleep";
        _space.Start("setpriv", "--reuid", "65534", "--clear-groups", "perl", "-MSocket", "-e", Squat);
        Eventually.True(() =>
            _space.Run(static () => File.ReadAllText("/proc/thread-self/net/unix"))
                .Contains("@" + InstanceLock.Name, StringComparison.Ordinal));
        Assert.Null(await TakeAsync(_namespace));
    }

    /// <summary>As another instance is for a moment as it starts: it is waited for.</summary>
    [Fact]
    public async Task One_who_is_bound_and_does_not_listen_yet_is_asked_again()
    {
        using Socket starting = NamespaceSocket.OpenUnix(_namespace);
        starting.Bind(new UnixDomainSocketEndPoint('\0' + InstanceLock.Name));
        FakeTimeProvider time = new();
        Task<InstanceLock?> taking = InstanceLock.TakeAsync(_namespace, time, NullLogger.Instance, TestContext.Current.CancellationToken);
        Assert.False(taking.IsCompleted);
        starting.Listen();
        time.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<IOException>(() => taking);
    }

    [Fact]
    public async Task Two_services_with_different_directories_do_not_share_a_namespace()
    {
        string first = Directory.CreateTempSubdirectory("cs-lock-").FullName,
            second = Directory.CreateTempSubdirectory("cs-lock-").FullName;
        using (ServiceProcess service = await ServiceProcess.StartAsync(_space.Name, first))
        {
            (int code, _, string error) = await ServiceProcess.RunAsync(
                "run", "--netns", _space.Name, "--set", $"State:Directory={second}/state", "--set", $"Api:Socket={second}/api.sock");
            Assert.Equal(1, code); // the other may end: systemd tries again
            Assert.Contains("another conntrack-stream serves this network namespace already", error, StringComparison.Ordinal);
            Assert.Equal("1", _space.Sysctl("net.netfilter.nf_conntrack_acct"));
            service.Signal("TERM");
            await service.WaitForExitAsync();
        }

        Assert.Equal("0", _space.Sysctl("net.netfilter.nf_conntrack_acct"));
        Directory.Delete(first, recursive: true);
        Directory.Delete(second, recursive: true);
    }

    /// <summary>What one of them wrote last would be taken for the other's, and a restart gap begin too late.</summary>
    [Fact]
    public async Task Two_services_in_different_namespaces_do_not_share_a_state_directory()
    {
        using KernelNamespace other = new();
        string first = Directory.CreateTempSubdirectory("cs-lock-").FullName;
        using (ServiceProcess service = await ServiceProcess.StartAsync(_space.Name, first))
        {
            (int code, _, string error) = await Second();
            Assert.Equal(1, code); // the other may end: systemd tries again
            Assert.Contains($"State:Directory: {first}/state is used by another conntrack-stream", error, StringComparison.Ordinal);
            Assert.Equal("0", other.Sysctl("net.netfilter.nf_conntrack_acct"));
            service.Signal("KILL");
            await service.WaitForExitAsync();
        }

        using (ServiceProcess next = await ServiceProcess.StartAsync(other.Name, first))
        {
            next.Signal("TERM");
            await next.WaitForExitAsync();
        }

        Directory.Delete(first, recursive: true);

        Task<(int Code, string Output, string Error)> Second() => ServiceProcess.RunAsync(
            "run", "--netns", other.Name, "--set", $"State:Directory={first}/state", "--set", $"Api:Socket={first}/other.sock");
    }

    private static Task<InstanceLock?> TakeAsync(NetworkNamespace space) =>
        InstanceLock.TakeAsync(space, TimeProvider.System, NullLogger.Instance, TestContext.Current.CancellationToken);
}
