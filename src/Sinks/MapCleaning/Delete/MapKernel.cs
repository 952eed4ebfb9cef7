using System.Globalization;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Asking;
using ConntrackStream.Sinks.MapCleaning.Absence;

namespace ConntrackStream.Sinks.MapCleaning.Delete;

/// <summary>What a scan of the map asks the kernel, on its own thread, as functions, so that tests can answer.</summary>
internal sealed record MapKernel
{
    /// <summary>Whether the namespace has an interface of this index; null when the kernel did not answer.</summary>
    public required Func<uint, bool?> HasInterface { get; init; }

    /// <summary>The namespace's timeouts, from /proc/sys; null when they cannot be read.</summary>
    public required Func<KernelTimeouts?> Timeouts { get; init; }

    /// <summary>Leaves nothing open in the namespace. Waits for the request that is under way.</summary>
    public Action Close { get; init; } = static () => { };

    public static MapKernel Of(NetworkNamespace network, ILogger logger)
    {
        NamespaceClient client = new(network);
        return new MapKernel
        {
            HasInterface = index => Try(() => client.Ask(kernel => kernel.HasInterface(index)), logger),
            Timeouts = () => Try(
                () => network.Run(static () => KernelTimeouts.Read(Sysctl) with { Longest = LongestTimeouts.Read() }), logger),
            Close = client.Close,
        };
    }

    private static T? Try<T>(Func<T?> ask, ILogger logger)
    {
        try
        {
            return ask();
        }
        catch (Exception e) when (e is NetlinkException or IOException or UnauthorizedAccessException)
        {
            logger.MapQuestionFailed(e.Message);
            return default;
        }
    }

    private static long? Sysctl(string name)
    {
        string path = $"/proc/sys/net/netfilter/nf_conntrack_{name}";
        return File.Exists(path)
            ? long.Parse(File.ReadAllText(path).AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture)
            : null;
    }
}
