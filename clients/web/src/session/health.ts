import type { Message } from "@bufbuild/protobuf";
import {
  fileDesc,
  type GenMessage,
  type GenService,
  messageDesc,
  serviceDesc,
} from "@bufbuild/protobuf/codegenv2";

type HealthCheckRequest = Message<"grpc.health.v1.HealthCheckRequest"> & {
  /** Name of a service; empty = the whole server. */
  service: string;
};

type HealthCheckResponse = Message<"grpc.health.v1.HealthCheckResponse"> & {
  /** See SERVING. */
  status: number;
};

// Check of grpc/health/v1/health.proto as a serialized FileDescriptorProto, without Watch and List, which have no
// user here. The contract's own generator leaves gRPC's protocols out, since other languages have them in packages.
const file = /*@__PURE__*/ fileDesc(
  "ChtncnBjL2hlYWx0aC92MS9oZWFsdGgucHJvdG8SDmdycGMuaGVhbHRoLnYxIiUKEkhlYWx0aENoZWNrUmVxdWVzdBIPCgdzZXJ2aWNlGAEgASgJIqkBChNIZWFsdGhDaGVja1Jlc3BvbnNlEkEKBnN0YXR1cxgBIAEoDjIxLmdycGMuaGVhbHRoLnYxLkhlYWx0aENoZWNrUmVzcG9uc2UuU2VydmluZ1N0YXR1cyJPCg1TZXJ2aW5nU3RhdHVzEgsKB1VOS05PV04QABILCgdTRVJWSU5HEAESDwoLTk9UX1NFUlZJTkcQAhITCg9TRVJWSUNFX1VOS05PV04QAzJaCgZIZWFsdGgSUAoFQ2hlY2sSIi5ncnBjLmhlYWx0aC52MS5IZWFsdGhDaGVja1JlcXVlc3QaIy5ncnBjLmhlYWx0aC52MS5IZWFsdGhDaGVja1Jlc3BvbnNlYgZwcm90bzM",
);

export const HealthCheckRequestSchema: GenMessage<HealthCheckRequest> = /*@__PURE__*/ messageDesc(file, 0);
export const HealthCheckResponseSchema: GenMessage<HealthCheckResponse> = /*@__PURE__*/ messageDesc(file, 1);

/** gRPC's health service, which every door of the hub has. */
export const Health: GenService<{
  check: {
    methodKind: "unary";
    input: typeof HealthCheckRequestSchema;
    output: typeof HealthCheckResponseSchema;
  };
}> = /*@__PURE__*/ serviceDesc(file, 0);

/** ServingStatus.SERVING */
export const SERVING = 1;
