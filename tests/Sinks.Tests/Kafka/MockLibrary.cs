using System.Runtime.InteropServices;

namespace ConntrackStream.Sinks.Tests.Kafka;

/// <summary>
/// Functions of librdkafka that Confluent.Kafka does not use, as in
/// <see href="https://github.com/confluentinc/librdkafka/blob/master/src/rdkafka_mock.h"/>
/// </summary>
internal static partial class MockLibrary
{
    internal const int Producer = 0; // RD_KAFKA_PRODUCER
    internal const int AllBrokers = -1;

    private const string Name = "librdkafka";

    /// <summary>The first of these that this machine can load, as Confluent.Kafka does; librdkafka itself needs libsasl2.so.3.</summary>
    private static readonly string[] Builds = [Name, "centos8-librdkafka", "alpine-librdkafka"];

    /// <summary>To be read before the first call.</summary>
    internal static bool IsThere { get; } = SetResolver();

    [LibraryImport(Name)]
    internal static partial nint rd_kafka_conf_new();

    [LibraryImport(Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int rd_kafka_conf_set(nint conf, string name, string value, Span<byte> error, nuint size);

    [LibraryImport(Name)]
    internal static partial nint rd_kafka_new(int type, nint conf, Span<byte> error, nuint size);

    [LibraryImport(Name)]
    internal static partial void rd_kafka_destroy(nint client);

    [LibraryImport(Name)]
    internal static partial nint rd_kafka_mock_cluster_new(nint client, int brokers);

    [LibraryImport(Name)]
    internal static partial void rd_kafka_mock_cluster_destroy(nint cluster);

    [LibraryImport(Name)]
    internal static partial nint rd_kafka_mock_cluster_bootstraps(nint cluster);

    [LibraryImport(Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int rd_kafka_mock_topic_create(nint cluster, string topic, int partitions, int replicas);

    [LibraryImport(Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial void rd_kafka_mock_topic_set_error(nint cluster, string topic, int error);

    [LibraryImport(Name)]
    internal static partial void rd_kafka_mock_push_request_errors_array(
        nint cluster, short request, nuint count, ReadOnlySpan<int> errors);

    [LibraryImport(Name)]
    internal static partial void rd_kafka_mock_clear_request_errors(nint cluster, short request);

    [LibraryImport(Name)]
    internal static partial int rd_kafka_mock_broker_set_down(nint cluster, int broker);

    [LibraryImport(Name)]
    internal static partial int rd_kafka_mock_broker_set_up(nint cluster, int broker);

    [LibraryImport(Name)]
    internal static partial int rd_kafka_mock_broker_set_rtt(nint cluster, int broker, int milliseconds);

    private static bool SetResolver()
    {
        NativeLibrary.SetDllImportResolver(typeof(MockLibrary).Assembly, static (name, assembly, path) =>
        {
            foreach (string build in name == Name ? Builds : [])
            {
                if (NativeLibrary.TryLoad(build, assembly, path, out nint library))
                    return library;
            }

            return 0;
        });
        return true;
    }
}
