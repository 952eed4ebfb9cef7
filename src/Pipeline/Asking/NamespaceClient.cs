using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Pipeline.Asking;

/// <summary>
/// A client of the kernel in a namespace that may be replaced: one thread asks, another may close it. Opened when it is needed; after a
/// failure again, since answers of the failed request may still come.
/// </summary>
public sealed class NamespaceClient(NetworkNamespace network)
{
    private readonly Lock _lock = new();
    private ConntrackClient? _client;
    private int _generation; // of the namespace, when the client was opened

    /// <summary>Waits for the kernel, which may take as long as another program's request: never on the loop.</summary>
    /// <exception cref="NetlinkException">The kernel refused, or did not answer.</exception>
    public T Ask<T>(Func<ConntrackClient, T> ask)
    {
        lock (_lock)
        {
            if (_generation != network.Generation)
                Close(); // it belongs to the namespace that had the name before
            _generation = network.Generation;
            try
            {
                return ask(_client ??= network.Run(static () => new ConntrackClient()));
            }
            catch (NetlinkException)
            {
                Close();
                throw;
            }
        }
    }

    /// <summary>Leaves nothing open in the namespace. Waits for the request that is under way.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _client?.Dispose();
            _client = null;
        }
    }
}
