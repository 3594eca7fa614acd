/** Tasks: submitting and asking for them. */
import type { OpenAPI } from '@globus/sdk/services/compute';
import type { FastifyInstance } from 'fastify';
import { ServiceError } from '../../../compute/errors.js';
import type { EndpointId, TaskGroupId, TaskId } from '../../../compute/ids.js';
import { MAX_SUBMISSION_BYTES } from '../../../compute/limits.js';
import type { Submission, TaskStatus } from '../../../compute/service.js';
import type { UserOf } from '../app.js';
import { assertModest } from '../free-form.js';
import { type Nullable, withoutNulls } from '../nulls.js';
import * as schemas from '../schemas.js';
import { submitToMany } from '../submit-to-many.js';

type Schemas = OpenAPI.components['schemas'];
type SubmissionV2 = Nullable<Schemas['compute_web_service__schemas__v2__task__BatchSubmitRequest']>;

/** A body of the largest submission: text may take twice its size as JSON. Unit: bytes. */
const BODY_BYTES = 2 * MAX_SUBMISSION_BYTES + 1024 * 1024;

/** These are passed on as they are. */
const FREE_FIELDS = ['tasks', 'user_endpoint_config', 'user_runtime'];

export function taskRoutes(app: FastifyInstance, userOf: UserOf): void {
  app.post<{ Params: { endpoint_uuid: EndpointId }; Body: Nullable<Submission> }>(
    '/v3/endpoints/:endpoint_uuid/submit',
    {
      bodyLimit: BODY_BYTES,
      schema: {
        summary: 'Run functions on an endpoint',
        params: schemas.inPath('endpoint_uuid'),
        body: schemas.submitV3,
        response: { 200: schemas.submittedV3 },
      },
    },
    (request) => {
      assertModest('user_endpoint_config', request.body.user_endpoint_config);
      assertModest('user_runtime', request.body.user_runtime);
      const body = withoutNulls(request.body, FREE_FIELDS) as Submission;
      return userOf(request).submit(request.params.endpoint_uuid, body);
    },
  );

  app.post<{ Body: SubmissionV2 }>(
    '/v2/submit',
    {
      bodyLimit: BODY_BYTES,
      schema: {
        summary: 'Run functions on several endpoints, as clients before 2.30 do',
        body: schemas.submitV2,
        response: { 200: schemas.submittedV2, 207: schemas.submittedV2 },
      },
    },
    async (request, reply) => {
      const { tasks, task_group_id, create_websocket_queue } = request.body;
      const { taskGroupId, results } = await submitToMany(userOf(request), {
        tasks,
        taskGroupId: (task_group_id ?? undefined) as TaskGroupId | undefined,
        createQueue: create_websocket_queue === true,
      });
      const refused = results.some((result) => result instanceof ServiceError);
      reply.code(refused ? 207 : 200);
      return {
        response: refused ? 'batch' : 'success',
        ...(taskGroupId !== undefined && { task_group_id: taskGroupId }),
        results: results.map((result) => (result instanceof ServiceError ? refusedTask(result) : acceptedTask(result))),
      };
    },
  );

  app.get<{ Params: { task_uuid: TaskId } }>(
    '/v2/tasks/:task_uuid',
    {
      schema: {
        summary: "One of the caller's tasks, with its result where there is one",
        params: schemas.inPath('task_uuid'),
        response: { 200: schemas.taskStatus },
      },
    },
    async (request) => taskBody(await userOf(request).getTask(request.params.task_uuid)),
  );

  app.post<{ Body: { task_ids: TaskId[] } }>(
    '/v2/batch_status',
    {
      bodyLimit: 1024 * 1024,
      schema: {
        summary: "Many of the caller's tasks, with their results where there are some",
        body: schemas.batchStatus,
        response: { 200: schemas.batchStatuses },
      },
    },
    async (request) => {
      const statuses = await userOf(request).batchStatus(request.body.task_ids);
      const results: Record<string, object> = {};
      for (const [id, status] of Object.entries(statuses)) results[id] = taskBody(status);
      return { response: 'batch', results };
    },
  );

  app.get<{ Params: { task_group_uuid: TaskGroupId } }>(
    '/v2/taskgroup/:task_group_uuid',
    {
      schema: {
        summary: "The tasks of one of the caller's groups",
        params: schemas.inPath('task_group_uuid'),
        response: { 200: schemas.taskGroup },
      },
    },
    (request) => userOf(request).taskGroup(request.params.task_group_uuid),
  );
}

/** What of a task goes out; the rest is for the hub's own process. */
function taskBody({ task_id, status, result, completion_t, exception, reason, details }: TaskStatus): object {
  return { task_id, status, result, completion_t, exception, reason, details };
}

function acceptedTask(task_uuid: string): Schemas['BatchSubmitResponseTask'] {
  return { status: 'Success', task_uuid, http_status_code: 200 };
}

function refusedTask({ code, errorArgs, httpStatus, message }: ServiceError): object {
  return { status: 'Failed', code, error_args: errorArgs, http_status_code: httpStatus, reason: message };
}
