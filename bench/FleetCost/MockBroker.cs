using System.Globalization;
using Confluent.Kafka;

namespace ConntrackStream.FleetCost;

/// <summary>librdkafka's broker for tests, on loopback in this process: in memory, without replicas; it forgets old messages.</summary>
internal static class MockBroker
{
    /// <summary>Prints its address, and ends with standard input.</summary>
    internal static void Run()
    {
        AdminClientConfig config = new();
        config.Set("test.mock.num.brokers", "1");
        using IAdminClient client = new AdminClientBuilder(config).SetLogHandler(static (_, _) => { }).Build();
        BrokerMetadata broker = client.GetMetadata(TimeSpan.FromSeconds(10)).Brokers.Single();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{broker.Host}:{broker.Port}"));
        Console.In.ReadToEnd();
    }
}
