using System.Net;
using System.Net.Sockets;
using ConntrackStream.Service.Demo;

namespace ConntrackStream.Service.Tests.Demo;

public sealed class DemoSocketTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)] // control: it is in use for good
    public async Task An_address_that_is_given_up_late_is_waited_for(bool isGivenUp)
    {
        using Socket earlier = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        earlier.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        IPEndPoint address = (IPEndPoint)earlier.LocalEndPoint!;
        using Socket later = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        Task binding = later.BindAsync(address, TestContext.Current.CancellationToken);
        Assert.False(binding.IsCompleted);
        if (!isGivenUp)
        {
            SocketException refused = await Assert.ThrowsAsync<SocketException>(() => binding);
            Assert.Equal(SocketError.AddressAlreadyInUse, refused.SocketErrorCode);
            return;
        }

        earlier.Dispose();
        await binding;
        Assert.Equal(address, later.LocalEndPoint);
    }
}
