using System.Globalization;
using ConntrackStream.FleetCost;

// Started by bench/run nats, kafka, ipfix, collect and publishers.
int Number(int index) => int.Parse(args[index], CultureInfo.InvariantCulture);

switch (args)
{
    case ["json", var directory, _]:
        await new SinkRun(FedSink.Json(directory)).RunAsync(Number(2)).ConfigureAwait(false);
        return 0;
    case ["ipfix", var collector, _]:
        await new SinkRun(FedSink.Ipfix(collector)).RunAsync(Number(2)).ConfigureAwait(false);
        return 0;
    case ["nats", var directory, _, var server]:
        await new SinkRun(FedSink.Nats(directory, server)).RunAsync(Number(2)).ConfigureAwait(false);
        return 0;
    case ["kafka", var directory, _, var broker]:
        await new SinkRun(FedSink.Kafka(directory, broker)).RunAsync(Number(2)).ConfigureAwait(false);
        return 0;
    case ["kafka-broker"]:
        MockBroker.Run();
        return 0;
    case ["publishers", var directory, _, _, _, var server]:
        await new Publishers(directory, Number(2), Number(3), server).RunAsync(TimeSpan.FromSeconds(Number(4))).ConfigureAwait(false);
        return 0;
    default:
        Console.Error.WriteLine(
            "usage: FleetCost json DIRECTORY RECORDS | ipfix COLLECTOR RECORDS | nats DIRECTORY RECORDS SERVER"
            + " | kafka DIRECTORY RECORDS BROKER | kafka-broker | publishers DIRECTORY HOSTS RECORDS-A-SECOND-AND-HOST SECONDS SERVER");
        return 2;
}
