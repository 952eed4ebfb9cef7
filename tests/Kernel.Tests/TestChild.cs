using System.Diagnostics;
using System.Globalization;
using System.IO.Pipes;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Service.Demo;
using ConntrackStream.Service.Network;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Kernel.Tests;

/// <summary>
/// This test program once more, as a process to be killed or to be denied something. It plays its role in <see cref="TestChildRole"/>.
/// </summary>
internal sealed class TestChild : IDisposable
{
    internal const string Track = "track";
    internal const string Demo = "demo";
    internal const string Uplinks = "uplinks";
    internal const string Leave = "leave";
    internal const string Enlarge = "enlarge";
    internal const string RoleVariable = "CONNTRACKSTREAM_TEST_ROLE";
    internal const string NamespaceVariable = "CONNTRACKSTREAM_TEST_NAMESPACE";
    internal const string PipeVariable = "CONNTRACKSTREAM_TEST_PIPE";

    private readonly AnonymousPipeServerStream _pipe = new(PipeDirection.In, HandleInheritability.Inheritable);
    private readonly StreamReader _reader;
    private readonly SafeFileHandle _namespace;
    private readonly Process _process;

    private TestChild(string role, NetworkNamespace networkNamespace, string[] wrapper)
    {
        _reader = new StreamReader(_pipe);
        _namespace = NamespaceHandle.Open(networkNamespace);
        string program = Path.ChangeExtension(typeof(TestChild).Assembly.Location, extension: null);
        string[] command = [.. wrapper, program, "-method", $"{typeof(TestChildRole).FullName}.{nameof(TestChildRole.Play)}"];
        ProcessStartInfo start = new(command[0], command[1..]) { UseShellExecute = false, RedirectStandardOutput = true };
        start.Environment[RoleVariable] = role;
        start.Environment[NamespaceVariable] = NamespaceTool.PathOf(_namespace);
        start.Environment[PipeVariable] = _pipe.GetClientHandleAsString();
        if (role == Leave)
            start.Environment.Remove(Leftovers.OwnerVariable); // it is a run of its own
        _process = Process.Start(start)!;
        _pipe.DisposeLocalCopyOfClientHandle();
    }

    /// <param name="role">What it is to do.</param>
    /// <param name="networkNamespace">Where.</param>
    /// <param name="wrapper">A command line to start it by, such as setpriv's.</param>
    internal static TestChild Start(string role, NetworkNamespace networkNamespace, params string[] wrapper) =>
        new(role, networkNamespace, wrapper);

    /// <summary>What it says next; null when it has ended.</summary>
    internal string? ReadLine()
    {
        Task<string?> line = _reader.ReadLineAsync();
        return line.Wait(ToolRun.Patience) ? line.GetAwaiter().GetResult() : throw new TimeoutException("the child says nothing");
    }

    /// <summary>kill -9, for it alone.</summary>
    internal void Kill()
    {
        _process.Kill();
        Assert.True(_process.WaitForExit(ToolRun.Patience));
    }

    internal int ProcessId => _process.Id;

    public void Dispose()
    {
        if (!_process.HasExited)
            Kill();
        _process.Dispose();
        _reader.Dispose();
        _namespace.Dispose();
    }
}

/// <summary>The child's side of <see cref="TestChild"/>; does nothing in an ordinary run.</summary>
public sealed class TestChildRole
{
    private const string MaxPath = "/proc/sys/net/netfilter/nf_conntrack_max";

    [Fact]
    public async Task Play()
    {
        if (Environment.GetEnvironmentVariable(TestChild.RoleVariable) is not { } role)
            return;
        using AnonymousPipeClientStream pipe = new(PipeDirection.Out, Environment.GetEnvironmentVariable(TestChild.PipeVariable)!);
        await using StreamWriter parent = new(pipe) { AutoFlush = true };
        string path = Environment.GetEnvironmentVariable(TestChild.NamespaceVariable)!;
        try
        {
            using NetworkNamespace networkNamespace = NetworkNamespace.OpenPath(path);
            using IDisposable made = role switch
            {
                TestChild.Track => TrackingTable.Create(networkNamespace),
                TestChild.Leave => Things(),
                TestChild.Enlarge => TableSize.AtLeast(
                    int.Parse(await File.ReadAllTextAsync(MaxPath, TestContext.Current.CancellationToken), CultureInfo.InvariantCulture)
                    + 1),
                TestChild.Demo => DemoScenario.Create(TimeProvider.System),
                _ => await UplinkNetwork.CreateAsync(TestContext.Current.CancellationToken),
            };
            await parent.WriteLineAsync("made");
            if (role == TestChild.Leave)
                await parent.WriteLineAsync(Process.Start("sleep", "1000").Id.ToString(CultureInfo.InvariantCulture));
            using ManualResetEvent never = new(initialState: false);
            never.WaitOne(); // until killed
        }
        catch (NetlinkException e)
        {
            await parent.WriteLineAsync(e.Message.Replace(path, "CHILD", StringComparison.Ordinal));
        }
    }

    private static KernelNamespace Things()
    {
        _ = new BpfDirectory();
        return new KernelNamespace();
    }
}
