using System.Net.Sockets;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Network;

namespace ConntrackStream.Service.Demo;

/// <summary>
/// One machine of the demo: an unnamed network namespace. Sockets opened here stay in it whatever thread uses them later; nothing else
/// of this process ever does. The kernel drops the namespace with the last of its descriptors, also after kill -9.
/// </summary>
internal sealed class DemoHost : IDisposable
{
    /// <summary>A fresh namespace with <c>lo</c> up.</summary>
    /// <exception cref="NetlinkException">Not permitted (CAP_SYS_ADMIN), or user.max_net_namespaces is reached.</exception>
    internal DemoHost(string name)
    {
        Name = name;
        Namespace = AnonymousNamespace.Create(name);
        try
        {
            // else a link's own fe80:: address holds up the first packet for about two seconds
            SetSysctl("ipv6.conf.default.accept_dad", "0");
            Route = new RouteNetlink(Namespace);
            Route.SetUp("lo");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal string Name { get; }

    internal NetworkNamespace Namespace { get; }

    internal RouteNetlink Route { get; } = null!;

    internal Socket Open(AddressFamily family, SocketType type, ProtocolType protocol) =>
        NamespaceSocket.Open(Namespace, family, type, protocol);

    /// <summary>Writes a setting of this namespace; <c>/proc/sys/net</c> follows the thread that opens it.</summary>
    /// <param name="name">As sysctl(8) names it, below <c>net.</c>: <c>ipv4.ip_forward</c>.</param>
    /// <param name="value">The value as decimal text.</param>
    internal void SetSysctl(string name, string value) =>
        Namespace.Run(() => File.WriteAllText($"/proc/sys/net/{name.Replace('.', '/')}", value));

    public void Dispose()
    {
        Route?.Dispose();
        Namespace.Dispose();
    }
}
