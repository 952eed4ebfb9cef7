using System.Globalization;
using System.Runtime.ExceptionServices;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Demo.Race;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>
/// A network namespace of one test: loopback up, every connection tracked, no entry of which is gone before the test is (by default a
/// datagram's is after 30 s). Removed, with its peers and the processes started in it, on dispose. Skips the test without root.
/// </summary>
public sealed class KernelNamespace : IDisposable
{
    private const string Tracking = "table inet kit { chain track { type filter hook output priority 0; ct state new accept; }; }";
    private const string EntriesLast = "600"; // seconds: longer than a test on a machine that is busy with others

    private static readonly string[] ShortLived =
        [
            "udp_timeout", "udp_timeout_stream", "icmp_timeout", "icmpv6_timeout", "gre_timeout", "gre_timeout_stream", "tcp_timeout_close",
            "tcp_timeout_time_wait",
        ];

    private static int _last;

    private readonly SafeFileHandle _handle;
    private readonly List<IDisposable> _owned = [];
    private int _links;

    /// <param name="track">Whether a rule asks for connection tracking; without one the kernel makes no entries.</param>
    public KernelNamespace(bool track = true)
    {
        Requirements.Root();
        Requirements.Tool("ip");
        Requirements.Tool("nft");
        Name = string.Create(CultureInfo.InvariantCulture, $"cs-test-{Environment.ProcessId}-{Interlocked.Increment(ref _last)}");
        ToolRun.Output("ip", ["netns", "add", Name]);
        _handle = File.OpenHandle($"/run/netns/{Name}");
        AtExit.Register(this);
        try
        {
            ToolRun.Output("ip", ["-n", Name, "link", "set", "lo", "up"]);
            Run(() =>
            {
                Array.ForEach(ShortLived, static name => File.WriteAllText(SysctlPath($"net.netfilter.nf_conntrack_{name}"), EntriesLast));
                return 0;
            });
            if (track)
                Rules(Tracking);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>As <c>ip netns</c> knows it.</summary>
    public string Name { get; }

    /// <summary>Entries in its table: nf_conntrack_count.</summary>
    public int FlowCount => int.Parse(Sysctl("net.netfilter.nf_conntrack_count"), CultureInfo.InvariantCulture);

    /// <summary>Runs a program inside to its end. Returns its stdout.</summary>
    /// <exception cref="ToolException">It ended with another exit code than 0.</exception>
    public string Exec(string tool, params string[] arguments) => ToolRun.Output("ip", Inside(tool, arguments));

    /// <summary>Starts a program inside; stopped by the namespace's end at the latest.</summary>
    public KernelProcess Start(string tool, params string[] arguments)
    {
        KernelProcess process = new(ToolRun.Start("ip", Inside(tool, arguments)));
        _owned.Add(process);
        return process;
    }

    /// <summary>Adds nftables rules, in the syntax of <c>nft -f</c>.</summary>
    public void Rules(string ruleset) => ToolRun.Output("ip", Inside("nft", ["-f", "-"]), ruleset);

    /// <summary>Reads a setting of this namespace, named as sysctl(8) does.</summary>
    public string Sysctl(string name) => Run(() => File.ReadAllText(SysctlPath(name)).Trim());

    /// <summary>Changes a setting of this namespace. Those that the machine shares are not writable here.</summary>
    public void Sysctl(string name, string value) => Run(() =>
    {
        File.WriteAllText(SysctlPath(name), value);
        return 0;
    });

    /// <summary>Adds a namespace at the other end of a new veth pair: a host of its own, which tracks nothing. Owned by this one.</summary>
    public VethLink AddPeer()
    {
        KernelNamespace peer = new(track: false);
        _owned.Add(peer);
        VethLink link = VethLink.Create(this, peer, ++_links);
        return link;
    }

    /// <summary>A gate at this namespace's end of a pod's link.</summary>
    internal TcxGate Gate(VethLink pod, GateDirection direction, RawFlowMap map)
    {
        using NetworkNamespace space = NetworkNamespace.OpenName(Name);
        return new TcxGate(space, Run(() => KitLibc.if_nametoindex(pod.Device)), direction, map.ForGate);
    }

    /// <summary>
    /// Runs <paramref name="work"/> on a thread inside, to open sockets or read settings; it must not queue, await or start threads.
    /// </summary>
    public T Run<T>(Func<T> work)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                KitLibc.Check(KitLibc.setns(_handle, KitLibc.CLONE_NEWNET), "setns");
                result = work();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.UnsafeStart();
        thread.Join();
        failure?.Throw();
        return result;
    }

    public void Dispose()
    {
        if (!AtExit.Take(this))
            return;
        for (int i = _owned.Count - 1; i >= 0; i--)
            _owned[i].Dispose();
        _handle.Dispose();
        ToolRun.Output("ip", ["netns", "del", Name]);
    }

    private static string SysctlPath(string name) => $"/proc/sys/{name.Replace('.', '/')}";

    private string[] Inside(string tool, string[] arguments) => ["netns", "exec", Name, tool, .. arguments];
}
