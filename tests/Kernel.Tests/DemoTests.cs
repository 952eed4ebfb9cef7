using System.Net;
using System.Net.Sockets;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Service.Demo;
using ConntrackStream.Service.Demo.Race;
using ConntrackStream.Service.Network;
using Microsoft.Win32.SafeHandles;
using static ConntrackStream.Service.Demo.DemoAddresses;

namespace ConntrackStream.Kernel.Tests;

/// <summary>The demo's environment and traffic, judged by <c>conntrack</c> in its gateway.</summary>
public sealed class DemoTests
{
    private static readonly string[] Lasting =
        ["tcp_timeout_time_wait", "tcp_timeout_close", "udp_timeout", "udp_timeout_stream", "icmp_timeout", "icmpv6_timeout"];

    public DemoTests() => Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");

    [Fact]
    public async Task Every_flow_of_the_plan_is_tracked_once()
    {
        using DemoScenario scenario = DemoScenario.Create(TimeProvider.System);
        foreach (string name in Lasting)
            scenario.Gateway.Run(() => File.WriteAllText($"/proc/sys/net/netfilter/nf_conntrack_{name}", "60"));

        await scenario.RunTrafficAsync(TestContext.Current.CancellationToken);

        string[] expected = [.. scenario.Plan.Select(Describe).Order(StringComparer.Ordinal)];
        string[] listed = [.. List(scenario.Gateway, "ipv4").Concat(List(scenario.Gateway, "ipv6")).Order(StringComparer.Ordinal)];
        Assert.Equal(expected, listed);
        Assert.InRange(listed.Length, 30, 60);
    }

    [Fact]
    public async Task Ended_flows_leave_and_open_ones_stay()
    {
        using DemoScenario scenario = DemoScenario.Create(TimeProvider.System);
        await scenario.RunTrafficAsync(TestContext.Current.CancellationToken);

        Assert.True(await scenario.SettleAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));

        string[] left = [.. List(scenario.Gateway, "ipv4").Concat(List(scenario.Gateway, "ipv6"))];
        Assert.Equal(scenario.StayOpen, left.Length);
        Assert.All(left, line => Assert.Matches("dport=(22|8080) ", line));
    }

    [Fact]
    public async Task Cancelling_ends_it()
    {
        using CancellationTokenSource cancelled = new();
        using DemoScenario scenario = DemoScenario.Create(TimeProvider.System);
        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scenario.RunTrafficAsync(cancelled.Token));
    }

    [Fact]
    public async Task No_thread_of_this_process_stays_in_the_demo()
    {
        string own = NamespaceOf("/proc/self/ns/net");
        using (DemoScenario scenario = DemoScenario.Create(TimeProvider.System))
            await scenario.RunTrafficAsync(TestContext.Current.CancellationToken);
        using (UplinkNetwork network = await UplinkNetwork.CreateAsync(TestContext.Current.CancellationToken))
            await network.RecogniseAsync(TestContext.Current.CancellationToken);

        using (RaceNode node = new(TimeProvider.System))
            node.ConnectTcp(port: 20000).Dispose();

        // the runtime's own end by themselves, after 20 s
        Eventually.True(() => Strangers().Length == 0, TimeSpan.FromSeconds(60), () => string.Join(", ", Strangers()));

        string[] Strangers() =>
        [
            .. Directory.GetDirectories("/proc/self/task").Where(task => (TryNamespaceOf($"{task}/ns/net") ?? own) != own).Select(TryNameOf)
                .OfType<string>(),
        ];
    }

    [Fact]
    public async Task Nothing_outside_changes_and_nothing_is_left()
    {
        string before = Outside();
        SafeFileHandle kept; // so that the number of the gateway's namespace is not given to another one meanwhile
        using (DemoScenario scenario = DemoScenario.Create(TimeProvider.System))
        {
            kept = NamespaceHandle.Open(scenario.Gateway);
            await scenario.RunTrafficAsync(TestContext.Current.CancellationToken);
            Assert.Equal(before, Outside());
        }

        using (kept)
        {
            Assert.Equal(before, Outside());
            Assert.Equal(1, Holders(NamespaceOf($"/proc/self/fd/{kept.DangerousGetHandle()}")));
        }
    }

    [Theory]
    [InlineData(TestChild.Demo, 3)] // client, gateway, server
    [InlineData(TestChild.Uplinks, 5)] // and two providers
    public void Nothing_is_left_of_a_killed_demo(string role, int namespaces)
    {
        string before = Outside();
        using TestChild child = TestChild.Start(role, NetworkNamespace.Current);
        Assert.Equal("made", child.ReadLine());
        string own = NamespaceOf("/proc/self/ns/net");
        string[] links = [.. TryFiles($"/proc/{child.ProcessId}/fd").Where(link => TryNamespaceOf(link) is { } name && name != own)];
        NetworkNamespace[] kept = [.. links.Select(NetworkNamespace.OpenPath)];
        string[] names = [.. links.Select(NamespaceOf).Distinct(StringComparer.Ordinal)];
        Assert.Equal(namespaces, names.Length);

        child.Kill();

        Assert.Equal(before, Outside());
        Assert.Equal(kept.Length, names.Sum(Holders));
        Array.ForEach(kept, one => one.Dispose());
    }

    /// <summary>A flow of the plan in the words <see cref="List"/> gives it.</summary>
    private static string Describe(DemoFlow flow)
    {
        bool masqueraded = flow.Source.Address.Equals(Client4);
        IPAddress replyTo = masqueraded ? GatewayWan4 : flow.Source.Address;
        string addresses = $"src={flow.Source.Address} dst={flow.Dialled.Address}";
        string reply = $"src={flow.Listener.Address} dst={replyTo}";
        return flow.Protocol switch
        {
            ProtocolType.Icmp => $"icmp {addresses} type=8 code=0 id={flow.Source.Port} {reply} type=0 code=0 id={flow.Source.Port}",
            ProtocolType.IcmpV6 =>
                $"icmpv6 {addresses} type=128 code=0 id={flow.Source.Port} {reply} type=129 code=0 id={flow.Source.Port}",
            _ => $"{(flow.Protocol == ProtocolType.Tcp ? $"tcp {State(flow.End)}" : "udp")} {addresses} "
                + $"sport={flow.Source.Port} dport={flow.Dialled.Port} "
                + $"{reply} sport={flow.Listener.Port} dport={flow.Source.Port}",
        };
    }

    private static string State(DemoEnd end) => end switch
    {
        DemoEnd.Close => "TIME_WAIT",
        DemoEnd.Reset => "CLOSE",
        _ => "ESTABLISHED",
    };

    /// <summary>conntrack's lines: protocol, TCP state, both tuples.</summary>
    private static IEnumerable<string> List(NetworkNamespace where, string family)
    {
        foreach (string line in NamespaceTool.Run(where, "conntrack", "-L", "-f", family)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            string[] kept = [.. words.Skip(3).Where(word => !word.StartsWith("packets=", StringComparison.Ordinal)
                && !word.StartsWith("bytes=", StringComparison.Ordinal) && !word.StartsWith("mark=", StringComparison.Ordinal)
                && !word.StartsWith("use=", StringComparison.Ordinal) && !word.StartsWith("delta-time=", StringComparison.Ordinal)
                && !word.StartsWith('['))];
            yield return $"{words[0]} {string.Join(' ', kept)}";
        }
    }

    /// <summary>What the demo must not touch: links, rules and conntrack's settings of this process's own namespace.</summary>
    private static string Outside()
    {
        NetworkNamespace own = NetworkNamespace.Current;
        return string.Join(
            '\n',
            NamespaceTool.Run(own, "ip", "-br", "link"),
            NamespaceTool.Run(own, "nft", "list", "ruleset"),
            NamespaceTool.Run(own, "sh", "-c", "cat /proc/sys/net/netfilter/nf_conntrack_*timeout* /proc/sys/net/ipv4/ip_forward"));
    }

    /// <summary>How many processes are in the namespace, descriptors are open on it, and mounts pin it.</summary>
    private static int Holders(string name)
    {
        int count = File.ReadLines("/proc/self/mountinfo").Count(line => line.Contains($" {name} ", StringComparison.Ordinal));
        foreach (string process in Directory.GetDirectories("/proc").Where(path => char.IsAsciiDigit(Path.GetFileName(path)[0])))
            count += TryFiles($"{process}/fd").Append($"{process}/ns/net").Count(link => TryNamespaceOf(link) == name);
        return count;
    }

    private static string TryNameOf(string task)
    {
        try
        {
            return File.ReadAllText($"{task}/comm").TrimEnd();
        }
        catch (IOException) // the thread has ended
        {
            return "";
        }
    }

    private static string[] TryFiles(string directory)
    {
        try
        {
            return Directory.GetFiles(directory);
        }
        catch (IOException) // the process has ended
        {
            return [];
        }
    }

    private static string NamespaceOf(string link) => TryNamespaceOf(link) ?? throw new InvalidOperationException(link);

    private static string? TryNamespaceOf(string link)
    {
        try
        {
            return new FileInfo(link).LinkTarget is { } target && target.StartsWith("net:[", StringComparison.Ordinal) ? target : null;
        }
        catch (IOException) // the thread or process has ended
        {
            return null;
        }
    }
}
